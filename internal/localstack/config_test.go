package localstack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

func TestFromEnv(t *testing.T) {
	t.Parallel()
	usual := localstack.Config{
		Dir: ".local", APIPort: 8080, TemporalPort: 7233, TemporalUIPort: 8233, SimulatorPort: 9090,
		APIMetricsPort: 9464, WorkerMetricsPort: 9465, PostgresPort: 54329, Workers: 1,
	}
	other := localstack.Config{
		Dir: ".local", APIPort: 1, TemporalPort: 2, TemporalUIPort: 3, SimulatorPort: 4,
		APIMetricsPort: 5, WorkerMetricsPort: 6, PostgresPort: 65535, Workers: 3, TemporalOnPostgres: true,
	}
	for name, tc := range map[string]struct {
		env  map[string]string
		want localstack.Config
	}{
		"nothing set": {nil, usual},
		"everything set": {map[string]string{
			"OMNIFLOW_API_PORT": "1", "OMNIFLOW_TEMPORAL_PORT": "2", "OMNIFLOW_TEMPORAL_UI_PORT": "3",
			"OMNIFLOW_SIMULATOR_PORT": "4", "OMNIFLOW_API_METRICS_PORT": "5", "OMNIFLOW_WORKER_METRICS_PORT": "6",
			"OMNIFLOW_POSTGRES_PORT": "65535", "OMNIFLOW_WORKERS": "3", "OMNIFLOW_TEMPORAL_ON_POSTGRES": "true",
		}, other},
		"switched off": {map[string]string{"OMNIFLOW_TEMPORAL_ON_POSTGRES": "false"}, usual},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := localstack.FromEnv(func(name string) string { return tc.env[name] })
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestFromEnvReportsEveryFault(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"OMNIFLOW_API_PORT": "eighty", "OMNIFLOW_TEMPORAL_PORT": "0", "OMNIFLOW_SIMULATOR_PORT": "65536",
		"OMNIFLOW_API_METRICS_PORT": "9465", "OMNIFLOW_WORKERS": "0", "OMNIFLOW_TEMPORAL_ON_POSTGRES": "maybe",
	}
	got, err := localstack.FromEnv(func(name string) string { return env[name] })
	require.Zero(t, got)
	require.EqualError(t, err, strings.Join([]string{
		`OMNIFLOW_API_PORT: "eighty" is not a number from 1 to 65535`,
		`OMNIFLOW_TEMPORAL_PORT: "0" is not a number from 1 to 65535`,
		`OMNIFLOW_SIMULATOR_PORT: "65536" is not a number from 1 to 65535`,
		`OMNIFLOW_WORKER_METRICS_PORT: port 9465 is OMNIFLOW_API_METRICS_PORT already`,
		`OMNIFLOW_WORKERS: "0" is not a number from 1 to 64`,
		`OMNIFLOW_TEMPORAL_ON_POSTGRES: "maybe" is neither true nor false`,
	}, "\n"))
}

// One way of every fault at the folder itself.
func TestUpOnAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "local")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := localstack.Up(t.Context(), localstack.Config{Dir: file}, os.Stderr)
	require.ErrorContains(t, err, "start the local stack")
}
