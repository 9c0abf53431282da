package localstack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
)

func TestKeysAreMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := keys(dir)
	require.NoError(t, err)
	again, err := keys(dir)
	require.NoError(t, err)
	require.Equal(t, made, again)
	require.Len(t, made, 2)
	encryption, ok := strings.CutPrefix(made[0], "OMNIFLOW_ENCRYPTION_KEYS=")
	require.True(t, ok)
	_, err = keyring.Parse(encryption)
	require.NoError(t, err)
	tokens, ok := strings.CutPrefix(made[1], "OMNIFLOW_JWT_KEYS=")
	require.True(t, ok)
	_, err = keyring.ParseTokens(tokens)
	require.NoError(t, err)
	require.NotEqual(t, encryption, tokens)
	other, err := keys(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, made, other)
}

func TestKeysAreClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := keys(dir)
	require.NoError(t, err)
	path := filepath.Join(dir, "keys.env")
	for _, mode := range []os.FileMode{0o600, 0o644} { // as made, and opened by somebody
		require.NoError(t, os.Chmod(path, mode))
		_, err = keys(dir)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestKeysReportABrokenFile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ content, want string }{
		"empty":    {"", "line 1 of"},
		"cut off":  {"OMNIFLOW_ENCRYPTION_KEYS=\"k1:abc\"\n", "line 2 of"},
		"reversed": {"OMNIFLOW_JWT_KEYS=a\nOMNIFLOW_ENCRYPTION_KEYS=b\n", "line 1 of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "keys.env")
			require.NoError(t, os.WriteFile(path, []byte(tc.content), 0o600))
			_, err := keys(dir)
			require.ErrorContains(t, err, tc.want)
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, tc.content, string(kept), "a key is never overwritten")
		})
	}
}
