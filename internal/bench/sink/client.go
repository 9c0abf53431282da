package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Client asks a sink in another process.
type Client struct {
	Base string // without a slash at the end
}

// Stats asks what the sink took.
func (c Client) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	return s, c.do(ctx, http.MethodGet, "/_sink/stats", &s)
}

// Arrivals asks when calls came.
func (c Client) Arrivals(ctx context.Context) ([]time.Time, error) {
	var at []time.Time
	return at, c.do(ctx, http.MethodGet, "/_sink/arrivals", &at)
}

// Marks asks when marked texts came first.
func (c Client) Marks(ctx context.Context) (map[string]time.Time, error) {
	var at map[string]time.Time
	return at, c.do(ctx, http.MethodGet, "/_sink/marks", &at)
}

// Storm refuses every call for d, as a provider does that is asked too often.
func (c Client) Storm(ctx context.Context, d time.Duration) error {
	return c.do(ctx, http.MethodPost, "/_sink/storm?for="+d.String(), nil)
}

// Reset makes the sink forget.
func (c Client) Reset(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/_sink/reset", nil)
}

func (c Client) do(ctx context.Context, method, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, nil)
	if err != nil {
		return fmt.Errorf("ask the sink: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the sink: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the sink %s: %s", path, res.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read the sink's answer: %w", err)
	}
	return nil
}

// Wait looks every 20 ms until the sink has n recipients, or until nothing
// came for the patience, or ctx ends. It returns the last look.
func (c Client) Wait(ctx context.Context, n int, patience time.Duration) (Stats, error) {
	last, changed := Stats{}, time.Now()
	for {
		s, err := c.Stats(ctx)
		if err != nil || s.Recipients >= n {
			return s, err
		}
		if s.Messages != last.Messages {
			last, changed = s, time.Now()
		}
		if time.Since(changed) > patience {
			return s, fmt.Errorf("the sink has %d of %d recipients and nothing came for %s", s.Recipients, n, patience)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// MostWithin is the largest number of arrivals inside any window of length d.
func MostWithin(arrivals []time.Time, d time.Duration) int {
	at := slices.SortedFunc(slices.Values(arrivals), time.Time.Compare)
	most, from := 0, 0
	for i, t := range at {
		for t.Sub(at[from]) >= d {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}
