package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/config"
	"omniflow/internal/keyring"
)

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestLoadAPIDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.LoadAPI(environment(map[string]string{
		"DATABASE_URL":             "postgres://localhost/omniflow",
		"OMNIFLOW_ENCRYPTION_KEYS": keyring.NewKey("k1"),
		"OMNIFLOW_JWT_KEYS":        keyring.NewKey("j1"),
	}))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", c.Listen)
	require.Equal(t, "127.0.0.1:9464", c.MetricsListen)
	require.Equal(t, "127.0.0.1:7233", c.Temporal.HostPort)
	require.Equal(t, "default", c.Temporal.Namespace)
	require.EqualValues(t, 20, c.DatabaseConns)
	require.Empty(t, c.CodecOrigins)
	require.False(t, c.CodecOpen)
	require.Equal(t, "k1", c.Keys.KeyID())
	require.NotNil(t, c.Tokens)
}

func TestLoadReportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	bad := environment(map[string]string{
		"DATABASE_CONNS":                "many",
		"OMNIFLOW_ENCRYPTION_KEYS":      "k1:short",
		"OMNIFLOW_LISTEN":               "nowhere",
		"OMNIFLOW_CODEC_OPEN":           "perhaps",
		"LINE_BASE_URL":                 "::",
		"TEMPORAL_TLS_CLIENT_CERT_PATH": "/nonexistent",
	})
	_, err := config.LoadAPI(bad)
	require.Error(t, err)
	for _, name := range []string{"DATABASE_URL: not set", "DATABASE_CONNS", "OMNIFLOW_ENCRYPTION_KEYS", "OMNIFLOW_JWT_KEYS: not set",
		"OMNIFLOW_LISTEN", "OMNIFLOW_CODEC_OPEN", "TEMPORAL_*"} {
		require.ErrorContains(t, err, name)
	}
	_, err = config.LoadWorker(bad)
	require.ErrorContains(t, err, "LINE_BASE_URL: want a URL")
	require.NotContains(t, err.Error(), "OMNIFLOW_JWT_KEYS", "the worker needs no token keys")
}

func TestLoadWorker(t *testing.T) {
	t.Parallel()
	c, err := config.LoadWorker(environment(map[string]string{
		"DATABASE_URL":             "postgres://localhost/omniflow",
		"OMNIFLOW_ENCRYPTION_KEYS": keyring.NewKey("k1"),
		"OMNIFLOW_METRICS_LISTEN":  "off",
		"WHATSAPP_BASE_URL":        "http://127.0.0.1:9090/whatsapp/",
		"TEMPORAL_ADDRESS":         "127.0.0.1:17233",
		"TEMPORAL_NAMESPACE":       "omniflow",
	}))
	require.NoError(t, err)
	require.Empty(t, c.MetricsListen)
	require.Equal(t, "http://127.0.0.1:9090/whatsapp", c.WhatsAppBaseURL)
	require.Equal(t, "https://api.line.me", c.LINEBaseURL)
	require.Equal(t, "127.0.0.1:17233", c.Temporal.HostPort)
	require.Equal(t, "omniflow", c.Temporal.Namespace)

	options, err := config.LoadTemporal(environment(map[string]string{"TEMPORAL_ADDRESS": strings.Repeat("a", 3) + ":1"}))
	require.NoError(t, err)
	require.Equal(t, "aaa:1", options.HostPort)
}
