package postgrestest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// A server whose test process and guard are both dead is stopped and removed by
// the next process; one whose process lives is not.
func TestSweep(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	alive, err := newFolder(parent)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, alive.release()) })
	orphan, err := newFolder(parent)
	require.NoError(t, err)
	c, err := localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: orphan.dir}) // without a guard
	require.NoError(t, err)
	require.NoError(t, orphan.lock.Close())

	require.NoError(t, sweep(t.Context(), parent))

	require.DirExists(t, alive.dir)
	require.NoDirExists(t, orphan.dir)
	require.NoDirExists(t, c.Data)
	_, err = pgx.Connect(t.Context(), c.DSN("postgres"))
	require.ErrorContains(t, err, strconv.Itoa(c.Port))
}

func TestSweepLeavesAFolderInTheMaking(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	young := filepath.Join(parent, strings.ReplaceAll(folderPattern, "*", "1"))
	old := filepath.Join(parent, strings.ReplaceAll(folderPattern, "*", "2"))
	require.NoError(t, os.Mkdir(young, 0o755))
	require.NoError(t, os.Mkdir(old, 0o755))
	past := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(old, past, past))

	require.NoError(t, sweep(t.Context(), parent))

	require.DirExists(t, young)
	require.NoDirExists(t, old)
}
