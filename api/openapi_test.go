package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOpenAPIFileIsCurrent compares openapi.yaml with what the program serves.
// OMNIFLOW_WRITE_OPENAPI=1 go test ./api -run OpenAPIFile writes it anew.
func TestOpenAPIFileIsCurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	served := w.do("GET", "/openapi.yaml", "", nil)
	require.Equal(t, 200, served.Status)
	if os.Getenv("OMNIFLOW_WRITE_OPENAPI") != "" {
		require.NoError(t, os.WriteFile("openapi.yaml", served.Body, 0o644))
	}
	kept, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	require.Equal(t, string(kept), string(served.Body), "run OMNIFLOW_WRITE_OPENAPI=1 go test ./api -run OpenAPIFile")
}
