package main

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func occupied(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l.Addr().(*net.TCPAddr).Port
}

func TestATakenPortIsNamedWithItsFlag(t *testing.T) {
	t.Parallel()
	port := occupied(t)
	for _, name := range []string{"port", "ui-port", "http-port", "metrics-port"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--port", "0", "--ui-port", "0", fmt.Sprintf("--%s=%d", name, port)}
			o, err := parseFlags(args, nil)
			require.NoError(t, err)
			require.EqualError(t, o.resolvePorts(), fmt.Sprintf(
				"port %d is taken on 127.0.0.1: stop what listens there, or choose another with --%s", port, name))
		})
	}
}

func TestHeadlessIgnoresTheUIPort(t *testing.T) {
	t.Parallel()
	o := options{ip: "127.0.0.1", uiIP: "127.0.0.1", uiPort: occupied(t), headless: true}
	require.NoError(t, o.resolvePorts())
	require.NotZero(t, o.port)
}

func TestOnePortForTwoIsRefused(t *testing.T) {
	t.Parallel()
	free := listener{"port", "127.0.0.1", 0}
	require.NoError(t, free.check())
	err := checkAll([]listener{free, {"ui-port", "127.0.0.1", 0}})
	require.EqualError(t, err, "port 0 is asked for twice: by --port and by --ui-port")
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"0.0.0.0": "127.0.0.1:7233", "::": "[::1]:7233", "127.0.0.2": "127.0.0.2:7233", "::1": "[::1]:7233",
	} {
		require.Equal(t, want, reachable(ip, 7233))
	}
}

func TestResolveIP(t *testing.T) {
	t.Parallel()
	got, err := resolveIP("ip", "localhost")
	require.NoError(t, err)
	require.True(t, net.ParseIP(got).IsLoopback(), got)
	require.Equal(t, 8233, uiPortFor(7233))
	require.Less(t, uiPortFor(65_000), 65_536)
}
