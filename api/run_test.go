package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
	"omniflow/internal/postgres/postgrestest"
)

// freePort is an address that nobody listens on just now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// TestTheProgramStartsWithoutTemporalAndStopsInOrder runs the whole program.
func TestTheProgramStartsWithoutTemporalAndStopsInOrder(t *testing.T) {
	t.Parallel()
	environment := map[string]string{
		"DATABASE_URL":             postgrestest.New(t, migrate),
		"TEMPORAL_ADDRESS":         freePort(t), // nobody there
		"OMNIFLOW_LISTEN":          freePort(t),
		"OMNIFLOW_METRICS_LISTEN":  freePort(t),
		"OMNIFLOW_ENCRYPTION_KEYS": keyring.NewKey("k1"),
		"OMNIFLOW_JWT_KEYS":        keyring.NewKey("j1"),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, func(name string) string { return environment[name] }) }()

	get := func(address, path string) (int, string) {
		var body []byte
		status := 0
		require.Eventually(t, func() bool {
			res, err := http.Get("http://" + address + path)
			if err != nil {
				return false
			}
			defer res.Body.Close()
			body, err = io.ReadAll(res.Body)
			status = res.StatusCode
			return err == nil
		}, 20*time.Second, 20*time.Millisecond)
		return status, string(body)
	}
	status, _ := get(environment["OMNIFLOW_LISTEN"], "/healthz")
	require.Equal(t, 200, status)
	status, body := get(environment["OMNIFLOW_LISTEN"], "/readyz")
	require.Equal(t, 503, status)
	var state readiness
	require.NoError(t, json.Unmarshal([]byte(body), &state))
	require.Equal(t, "ok", state.Checks["database"])
	require.NotEqual(t, "ok", state.Checks["temporal"])

	status, body = get(environment["OMNIFLOW_METRICS_LISTEN"], "/metrics")
	require.Equal(t, 200, status)
	for _, name := range []string{"go_goroutines", "process_open_fds", `omniflow_http_request_duration_seconds_count{method="GET",route="/healthz",status="200"} `, "temporal_"} {
		require.True(t, strings.Contains(body, name), name)
	}
	cancel()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(stopBudget + 5*time.Second):
		t.Fatal("the program did not stop")
	}
}

func TestTheProgramNamesEveryFaultOfItsEnvironment(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), func(string) string { return "" })
	require.ErrorContains(t, err, "DATABASE_URL: not set")
	require.ErrorContains(t, err, "OMNIFLOW_ENCRYPTION_KEYS: not set")
	require.ErrorContains(t, err, "OMNIFLOW_JWT_KEYS: not set")
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	environment := map[string]string{
		"DATABASE_URL": postgrestest.New(t, migrate), "OMNIFLOW_LISTEN": l.Addr().String(), "OMNIFLOW_METRICS_LISTEN": "off",
		"OMNIFLOW_ENCRYPTION_KEYS": keyring.NewKey("k1"), "OMNIFLOW_JWT_KEYS": keyring.NewKey("j1"),
	}
	err = run(t.Context(), func(name string) string { return environment[name] })
	require.ErrorContains(t, err, "OMNIFLOW_LISTEN")
	require.ErrorContains(t, err, "address already in use")
}
