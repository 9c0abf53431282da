package temporalclient

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// reconnect is how soon a lost connection to Temporal is tried again. The SDK's
// own goes up to 10 s, and its pollers then sleep up to 10 s more after Temporal
// is back.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: 20 * time.Second, // of gRPC
}

// pollPause is the mean pause before a poll that found no Temporal asks again.
const pollPause = time.Second

// recoverSoon makes a client take work up as soon as Temporal is back. Once
// stopping is closed, polls fail at once.
func recoverSoon(options *client.Options, stopping <-chan struct{}) {
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions,
		grpc.WithConnectParams(reconnect),
		grpc.WithChainUnaryInterceptor(pollAgain(stopping, pollPause)))
}

// pollAgain repeats polls for tasks while Temporal is away. A poll changes
// nothing that the next one does not find again, so it may be repeated as often
// as needed; the SDK does too, but after each failure of any of its pollers it
// lets all of them sleep longer.
func pollAgain(stopping <-chan struct{}, pause time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		for {
			err := invoke(ctx, method, req, reply, conn, opts...)
			if status.Code(err) != codes.Unavailable || !isPoll(method) {
				return err
			}
			select {
			case <-stopping:
				return err
			case <-ctx.Done():
				return err
			case <-time.After(pause/2 + rand.N(pause)): // not all pollers at once
			}
		}
	}
}

func isPoll(method string) bool {
	name := method[strings.LastIndexByte(method, '/')+1:]
	return strings.HasPrefix(name, "Poll") && strings.HasSuffix(name, "TaskQueue")
}
