package localstack_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

func TestCheckPort(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp4", address)
			require.NoError(t, err)
			defer l.Close()
			port := l.Addr().(*net.TCPAddr).Port
			err = localstack.CheckPort("api", port, "OMNIFLOW_API_PORT")
			require.EqualError(t, err, fmt.Sprintf("port %d (api) is taken by another program: stop it or set OMNIFLOW_API_PORT", port))
		})
	}
}

func TestCheckPortThatCannotBe(t *testing.T) {
	t.Parallel()
	err := localstack.CheckPort("api", 70000, "OMNIFLOW_API_PORT")
	require.ErrorContains(t, err, "port 70000 (api) cannot be used")
	require.ErrorContains(t, err, "set OMNIFLOW_API_PORT")
}

func TestFreePort(t *testing.T) {
	t.Parallel()
	port, err := localstack.FreePort()
	require.NoError(t, err)
	require.NoError(t, localstack.CheckPort("api", port, "X"))
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestWaitHTTPUntilItAnswers200(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			http.Error(w, "database is down", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	require.NoError(t, localstack.WaitHTTP(t.Context(), server.URL, nil))
	require.EqualValues(t, 3, calls.Load())
}

func TestWaitHTTPTellsTheLastAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "database is down", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := localstack.WaitHTTP(ctx, server.URL, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "503 Service Unavailable: database is down")
}

func TestWaitTCP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := localstack.FreePort()
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	p, err := localstack.NewSupervisor(dir).Start(command(t, dir, "server", "LISTEN="+address))
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Kill()) }()

	require.NoError(t, localstack.WaitTCP(t.Context(), address, p))
}

// The line that names the panic stands far above the end of the log.
func TestWaitShowsThePanic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := localstack.FreePort()
	require.NoError(t, err)
	p, err := localstack.NewSupervisor(filepath.Join(dir, "run")).Start(command(t, dir, "panics"))
	require.NoError(t, err)

	err = localstack.WaitTCP(t.Context(), fmt.Sprintf("127.0.0.1:%d", port), p)

	require.ErrorContains(t, err, "panics.log:\npanic: two handlers for one path")
}

func TestWaitEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := localstack.FreePort()
	require.NoError(t, err)
	p, err := localstack.NewSupervisor(filepath.Join(dir, "run")).Start(command(t, dir, "broken"))
	require.NoError(t, err)

	err = localstack.WaitTCP(t.Context(), fmt.Sprintf("127.0.0.1:%d", port), p)

	require.ErrorContains(t, err, "broken ended (exit status 3)")
	require.ErrorContains(t, err, "broken.log:\nno room left in the basement")
}
