package postgrestest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// spyTB takes the fatal message of a test that is expected to fail.
type spyTB struct {
	testing.TB
	fatal string
}

// Fatalf ends the goroutine, as that of a test does.
func (s *spyTB) Fatalf(format string, args ...any) {
	s.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// testProcess is this binary, running one test with its own folder for temporary
// files. server "" lets it start its own server.
func testProcess(t *testing.T, run, server, tmp string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+run+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "OMNIFLOW_TEST_DATABASE_URL="+server, "TMPDIR="+tmp, hangVariable+"=1")
	return cmd
}

// killed starts a test process, waits for its database and kills it.
func killed(t *testing.T, server, tmp string) (dsn string) {
	t.Helper()
	cmd := testProcess(t, "TestHang", server, tmp)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for dsn == "" && lines.Scan() {
		dsn, _ = strings.CutPrefix(lines.Text(), "database ")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	require.NotEmpty(t, dsn)
	return dsn
}

func sharedServer(t *testing.T) *localstack.Cluster {
	t.Helper()
	c, err := localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: filepath.Join(t.TempDir(), "server"), Ephemeral: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	return c
}

func testDatabases(t *testing.T, c *localstack.Cluster) []string {
	t.Helper()
	rows, err := connect(t, c.DSN("postgres")).Query(t.Context(), "SELECT datname FROM pg_database WHERE datname LIKE 'omniflow%'")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func TestProcessesShareAServer(t *testing.T) {
	t.Parallel()
	c, tmp := sharedServer(t), t.TempDir()
	outputs := make(chan error)
	for range 3 {
		cmd := testProcess(t, "TestClone", c.DSN("postgres"), tmp)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			outputs <- err
		}()
	}
	for range 3 {
		require.NoError(t, <-outputs)
	}
	require.Empty(t, testDatabases(t, c), "they leave nothing on a server that is not theirs")
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What a killed process has left on a shared server goes with the next one's start.
func TestNextProcessDropsOrphans(t *testing.T) {
	t.Parallel()
	c, tmp := sharedServer(t), t.TempDir()
	killed(t, c.DSN("postgres"), tmp)
	require.Len(t, testDatabases(t, c), 2, "a template and a clone")

	out, err := testProcess(t, "TestClone", c.DSN("postgres"), tmp).CombinedOutput()

	require.NoError(t, err, string(out))
	require.Empty(t, testDatabases(t, c))
}

// A killed test process takes its own server with it.
func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	dsn := killed(t, "", tmp)
	require.Eventually(t, func() bool {
		left, err := os.ReadDir(tmp)
		_, errConnect := pgx.Connect(t.Context(), dsn)
		return err == nil && len(left) == 0 && errConnect != nil
	}, 20*time.Second, 20*time.Millisecond)
}

func TestMalformedURL(t *testing.T) {
	t.Parallel()
	out, err := testProcess(t, "TestClone", "localhost/db", t.TempDir()).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "OMNIFLOW_TEST_DATABASE_URL is not a postgres:// URL")
}

func TestNewInAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	out, err := testProcess(t, "TestClone", "", tmp).CombinedOutput()
	require.NoError(t, err, string(out))
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}
