package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"omniflow/internal/channel"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/omniflow"
)

// bareConcurrency is how many calls the bare loop has under way: the size of a
// claimed group. A worker of ours has up to 512, four slices of 128; other
// values of this one have not been compared.
const bareConcurrency = 64

// bareLoop sends to n recipients over the same client, as fast as it can, and
// remembers nothing.
func (r *rig) bareLoop(ctx context.Context, n, concurrency int) (outcome, error) {
	if err := r.sink.Reset(ctx); err != nil {
		return outcome{}, err
	}
	http := channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true})
	defer http.CloseIdleConnections()
	sender := whatsapp.New(r.sink.Base+"/whatsapp", http)
	account := channel.Account{ExternalID: "1", Secrets: channel.Secrets{Token: "bare"}}
	contents := []omniflow.Content{{Kind: omniflow.Text, Text: text}}
	before, asked := r.usage(), time.Now()
	var next atomic.Int64
	group, loop := errgroup.WithContext(ctx)
	for range concurrency {
		group.Go(func() error {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				_, err := sender.Send(loop, account, channel.Message{Key: channel.Key{MessageID: uuid.Must(uuid.NewV7()), Attempt: 1},
					Recipient: recipient(int(i)), Contents: contents})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return outcome{}, err
	}
	stats, err := r.sink.Wait(ctx, n, patience)
	return outcome{Stats: stats, asked: asked, whole: stats.Last.Sub(asked), used: r.usage().since(before)}, err
}
