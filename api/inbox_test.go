package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/postgres"
)

func TestInboxStoresTogetherWhatWaits(t *testing.T) {
	t.Parallel()
	busy, release := make(chan struct{}), make(chan struct{})
	var calls, stored atomic.Int64
	b := newInbox(func(_ context.Context, batch []postgres.Webhook) ([]bool, error) {
		if calls.Add(1) <= inboxWriters {
			busy <- struct{}{}
			<-release
		}
		stored.Add(int64(len(batch)))
		fresh := make([]bool, len(batch))
		for i, w := range batch {
			fresh[i] = w.Body[0] == 'n'
		}
		return fresh, nil
	})
	var wait sync.WaitGroup
	for range inboxWriters {
		wait.Go(func() { _, _ = b.receive(context.Background(), postgres.Webhook{Body: []byte("n")}) })
		<-busy
	}
	fresh := make([]bool, 300)
	for i := range fresh {
		wait.Go(func() { fresh[i], _ = b.receive(context.Background(), postgres.Webhook{Body: []byte{"on"[i%2]}}) })
	}
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.waiting) == len(fresh)
	}, 5*time.Second, time.Millisecond)
	close(release)
	wait.Wait()
	for i, f := range fresh {
		require.Equal(t, i%2 == 1, f, "each request gets its own answer")
	}
	require.EqualValues(t, inboxWriters+300, stored.Load())
	require.LessOrEqual(t, calls.Load(), int64(inboxWriters+300/inboxBatch+inboxWriters))
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.writers == 0
	}, 5*time.Second, time.Millisecond, "no goroutine stays")
}

func TestInboxTellsEveryoneOfAFault(t *testing.T) {
	t.Parallel()
	fault := errors.New("database away")
	b := newInbox(func(context.Context, []postgres.Webhook) ([]bool, error) { return nil, fault })
	for range 3 {
		_, err := b.receive(t.Context(), postgres.Webhook{})
		require.ErrorIs(t, err, fault)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hang := newInbox(func(ctx context.Context, _ []postgres.Webhook) ([]bool, error) { <-ctx.Done(); return nil, ctx.Err() })
	_, err := hang.receive(ctx, postgres.Webhook{})
	require.ErrorIs(t, err, context.Canceled)
}

// BenchmarkWebhook takes WhatsApp webhooks of 3 kB from 64 requests at a time:
// go test ./api -run '^$' -bench Webhook -benchtime 20000x
func BenchmarkWebhook(b *testing.B) {
	w := newWorld(b)
	c, accounts := w.shop()
	var n atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	pad := strings.Repeat("x", 3000)
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[],"n":%d,"pad":%q}`, n.Add(1), pad)
			mac := hmac.New(sha256.New, []byte("s-W"+c.id[24:]))
			mac.Write([]byte(body))
			r := httptest.NewRequest("POST", "/webhooks/whatsapp/"+accounts["whatsapp"], strings.NewReader(body))
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
			out := httptest.NewRecorder()
			begin := time.Now()
			w.handler.ServeHTTP(out, r)
			mu.Lock()
			took = append(took, time.Since(begin))
			mu.Unlock()
			if out.Code != 200 {
				b.Errorf("status %d", out.Code)
			}
		}
	})
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
}
