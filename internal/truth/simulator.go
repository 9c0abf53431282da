package truth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"omniflow/internal/simulator"
)

// Simulators is the administration of the provider simulators at a base URL.
// Make it with NewSimulators; it may be used from several goroutines.
type Simulators struct {
	base string
	http *http.Client
}

// NewSimulators makes one for the simulators at base, without a slash at the end.
func NewSimulators(base string) Simulators {
	return Simulators{base: base, http: &http.Client{Timeout: 30 * time.Second}}
}

// AddAccount registers an account that may send.
func (s Simulators) AddAccount(ctx context.Context, a simulator.Account) error {
	return s.call(ctx, http.MethodPost, "/_sim/accounts", a, nil)
}

// SetFaults says how often requests of an account go wrong.
func (s Simulators) SetFaults(ctx context.Context, f simulator.Faults) error {
	return s.call(ctx, http.MethodPut, "/_sim/faults", f, nil)
}

// SetWebhooks says how an account's webhooks travel.
func (s Simulators) SetWebhooks(ctx context.Context, w simulator.Webhooks) error {
	return s.call(ctx, http.MethodPut, "/_sim/webhooks", w, nil)
}

// Summaries are the figures of the given accounts, by external id.
func (s Simulators) Summaries(ctx context.Context, accounts []Account) (map[string]simulator.Summary, error) {
	var all []simulator.Summary
	if err := s.call(ctx, http.MethodGet, "/_sim/summary", nil, &all); err != nil {
		return nil, err
	}
	ours := map[string]simulator.Summary{}
	for _, x := range all {
		for _, a := range accounts {
			if a.ExternalID == x.ExternalID && a.Channel == string(x.Channel) {
				ours[x.ExternalID] = x
			}
		}
	}
	if len(ours) != len(accounts) {
		return nil, fmt.Errorf("the simulators know %d of our %d accounts", len(ours), len(accounts))
	}
	return ours, nil
}

// Deliveries lists every message that the simulators took from the given
// accounts, delivered or not.
func (s Simulators) Deliveries(ctx context.Context, accounts []Account) ([]simulator.Delivery, error) {
	var all []simulator.Delivery
	for _, a := range accounts {
		q := url.Values{"channel": {a.Channel}, "external_id": {a.ExternalID}}
		res, err := s.ask(ctx, http.MethodGet, "/_sim/truth?"+q.Encode(), nil)
		if err != nil {
			return nil, err
		}
		all, err = readDeliveries(all, res)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readDeliveries adds lines of JSON to list.
func readDeliveries(list []simulator.Delivery, body io.ReadCloser) ([]simulator.Delivery, error) {
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 4096), 1<<20)
	for lines.Scan() {
		var d simulator.Delivery
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("read the ground truth: %w", err)
		}
		list = append(list, d)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the ground truth: %w", err)
	}
	return list, nil
}

func (s Simulators) call(ctx context.Context, method, path string, in, out any) error {
	body, err := s.ask(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("read the simulators' answer to %s: %w", path, err)
	}
	return nil
}

// ask gives the body of a 200 answer.
func (s Simulators) ask(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", path, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the simulators %s: %w", path, err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the simulators: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		text, err := io.ReadAll(io.LimitReader(res.Body, 1024))
		if err != nil {
			return nil, fmt.Errorf("ask the simulators %s: %s", path, res.Status)
		}
		return nil, fmt.Errorf("ask the simulators %s: %s: %s", path, res.Status, bytes.TrimSpace(text))
	}
	return res.Body, nil
}
