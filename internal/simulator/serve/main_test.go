package main

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, run(ctx, func(string) string { return "127.0.0.1:0" }))
}

func TestRunReportsATakenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	err = run(t.Context(), func(string) string { return taken.Addr().String() })
	require.ErrorContains(t, err, "listen")
}
