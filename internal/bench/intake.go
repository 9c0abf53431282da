package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"omniflow/internal/channel/graph"
)

const (
	statusesPerPost = 100 // WhatsApp sends up to 1,000
	postsAtOnce     = 4
	intakePace      = 16_000 // statuses per second that are offered when latency is measured
)

// intake posts signed batches of statuses to the api, as WhatsApp does after a
// broadcast: sent, delivered and read of every message. They count when the
// relay has merged them into the ledger. Latency is measured in a second run,
// in which posts come at a steady pace a little above the budget.
func intake(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "whatsapp", r.n, noLimit)
	if err != nil {
		return err
	}
	var rates, p99 []float64
	for round := range r.rounds {
		for _, paced := range []bool{false, true} {
			posts, err := r.statusPosts(ctx, s)
			if err != nil {
				return err
			}
			rate, latency, err := r.deliver(ctx, s, posts, paced)
			if err != nil {
				return err
			}
			r.say("round %d of %d: %s statuses/s merged, 200 within %s ms p99, paced %t, load %s",
				round+1, r.rounds, number(rate), number(latency), paced, load())
			if paced {
				p99 = append(p99, latency)
			} else {
				rates = append(rates, rate)
			}
		}
	}
	r.report.atLeast("intake", "statuses verified, stored, merged", median(rates), 15_000, "statuses/s", spread(rates))
	r.report.atMost("intake", fmt.Sprintf("200 at %s statuses/s, p99", number(intakePace)), median(p99), 50, "ms", spread(p99))
	return nil
}

// statusPosts sends a broadcast and makes the webhooks that follow it.
func (r *rig) statusPosts(ctx context.Context, s *scene) ([][]byte, error) {
	run, err := r.broadcast(ctx, s)
	if err != nil {
		return nil, err
	}
	rows, err := r.db.Query(ctx, `SELECT id::text || '.' || attempt, recipient, provider_id FROM messages WHERE broadcast_id = $1 ORDER BY id`, run.broadcast.ID)
	if err != nil {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	defer rows.Close()
	now := time.Now().Unix()
	all := map[string][]string{}
	for rows.Next() {
		var key, to, provider string
		if err := rows.Scan(&key, &to, &provider); err != nil {
			return nil, fmt.Errorf("read the messages: %w", err)
		}
		for i, state := range []string{"sent", "delivered", "read"} {
			all[state] = append(all[state], fmt.Sprintf(`{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q,"biz_opaque_callback_data":"m1.%s"}`,
				provider, state, now+int64(i), strings.TrimPrefix(to, "+"), key))
		}
	}
	var posts [][]byte
	for _, state := range []string{"sent", "delivered", "read"} {
		for chunk := range slices.Chunk(all[state], statusesPerPost) {
			posts = append(posts, envelope(s, chunk))
		}
	}
	return posts, rows.Err()
}

func envelope(s *scene, statuses []string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"statuses":[%s]}}]}]}`,
		s.twin.WABAID, s.twin.DisplayPhoneNumber, s.twin.ExternalID, strings.Join(statuses, ","))
}

// deliver posts and waits until everything is merged. It returns statuses per
// second and the 99th percentile of the answers in milliseconds.
func (r *rig) deliver(ctx context.Context, s *scene, posts [][]byte, paced bool) (rate, p99 float64, err error) {
	var mu sync.Mutex
	var latencies []float64
	began := time.Now()
	next := make(chan []byte)
	group, posting := errgroup.WithContext(ctx)
	for range postsAtOnce {
		group.Go(func() error {
			for body := range next {
				asked := time.Now()
				if err := r.post(posting, s, body); err != nil {
					return err
				}
				mu.Lock()
				latencies = append(latencies, time.Since(asked).Seconds()*1000)
				mu.Unlock()
			}
			return nil
		})
	}
	for i, body := range posts {
		if paced {
			due := began.Add(time.Duration(float64(i*statusesPerPost) / intakePace * float64(time.Second)))
			if err := pause(ctx, time.Until(due)); err != nil {
				break
			}
		}
		select {
		case next <- body:
		case <-posting.Done():
		}
	}
	close(next)
	if err := group.Wait(); err != nil {
		return 0, 0, err
	}
	if err := r.merged(ctx); err != nil {
		return 0, 0, err
	}
	span := time.Since(began).Seconds()
	slices.Sort(latencies)
	return float64(len(posts)*statusesPerPost) / span, latencies[len(latencies)*99/100], nil
}

func (r *rig) post(ctx context.Context, s *scene, body []byte) error {
	mac := hmac.New(sha256.New, []byte(s.twin.Secret))
	mac.Write(body)
	url := r.stack.APIURL() + "/webhooks/whatsapp/" + s.account.ID
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post a webhook: %w", err)
	}
	req.Header.Set(graph.SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("post a webhook: %w", err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("post a webhook: %s: %s (%w)", res.Status, text, err)
	}
	return nil
}

// merged waits until the inbox holds nothing that is not processed.
func (r *rig) merged(ctx context.Context) error {
	for {
		var left bool
		err := r.db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM inbox WHERE processed_at IS NULL)").Scan(&left)
		if err != nil || !left {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
