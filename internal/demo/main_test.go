package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  map[string]string
		code int
		out  string
	}{
		{"nothing", nil, nil, 2, "usage: go run ./internal/demo build|up|down|demo\n"},
		{"unknown", []string{"dance"}, nil, 2, "usage: go run ./internal/demo build|up|down|demo\n"},
		{"recipients", []string{"demo"}, map[string]string{"DEMO_RECIPIENTS": "many", "DEMO_SEED": "0"}, 1,
			`demo: FAILED DEMO_RECIPIENTS: "many" is not a number above 0 DEMO_SEED: "0" is not a number above 0` + "\n"},
		{"port", []string{"up"}, map[string]string{"OMNIFLOW_API_PORT": "x"}, 1,
			`up: OMNIFLOW_API_PORT: "x" is not a number from 1 to 65535` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			code := run(t.Context(), tt.args, func(k string) string { return tt.env[k] }, &out)
			require.Equal(t, tt.code, code)
			require.Equal(t, tt.out, out.String())
		})
	}
}
