package localstack_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// cluster starts an ephemeral cluster; t.TempDir is closed to other accounts.
func cluster(t *testing.T, o localstack.ClusterOptions) *localstack.Cluster {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "postgres")
	}
	o.Ephemeral = true
	c, err := localstack.StartCluster(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Stop(t.Context()))
		require.NoDirExists(t, c.Dir)
		require.NoDirExists(t, c.Data)
	})
	return c
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	return conn
}

func show(t *testing.T, conn *pgx.Conn, setting string) string {
	t.Helper()
	var value string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value))
	return value
}

func TestClusterSettings(t *testing.T) {
	t.Parallel()
	c := cluster(t, localstack.ClusterOptions{Settings: map[string]string{"work_mem": "7MB", "max_connections": "20"}})
	conn := connect(t, c.DSN("postgres"))
	defer conn.Close(t.Context())
	for setting, want := range map[string]string{
		"work_mem": "7MB", "max_connections": "20", // ours over the defaults
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": strconv.Itoa(c.Port),
		"server_encoding": "UTF8", "lc_collate": "C", "data_directory": c.Data,
	} {
		require.Equal(t, want, show(t, conn, setting), setting)
	}
	var user string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_user").Scan(&user))
	require.Equal(t, "omniflow", user)
}

// Killed by SIGKILL in the middle of commits, the server comes back with every
// row whose commit was acknowledged, on the same port.
func TestClusterKillKeepsCommits(t *testing.T) {
	t.Parallel()
	c := cluster(t, localstack.ClusterOptions{})
	require.NoError(t, c.CreateDatabase(t.Context(), "shop"))
	require.NoError(t, c.CreateDatabase(t.Context(), "shop"), "a second time it is there")
	for round := range 3 {
		conn := connect(t, c.DSN("shop"))
		_, err := conn.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS rows (round int, n int)")
		require.NoError(t, err)
		acknowledged := make(chan int)
		go func() {
			defer close(acknowledged)
			for n := 1; ; n++ {
				if _, err := conn.Exec(t.Context(), "INSERT INTO rows VALUES ($1, $2)", round, n); err != nil {
					return
				}
				acknowledged <- n
			}
		}()
		last, pid, port, killed := 0, c.PID(), c.Port, make(chan error, 1)
		for n := range acknowledged {
			if last = n; n == 200 {
				go func() { killed <- c.Kill() }()
			}
		}
		require.GreaterOrEqual(t, last, 200)
		require.NoError(t, <-killed)
		require.FileExists(t, filepath.Join(c.Data, "postmaster.pid"), "a crash leaves it")

		require.NoError(t, c.Restart(t.Context()))

		require.NotEqual(t, pid, c.PID())
		require.Equal(t, port, c.Port)
		conn = connect(t, c.DSN("shop"))
		var kept int
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM rows WHERE round = $1 AND n <= $2", round, last).Scan(&kept))
		require.Equal(t, last, kept)
		require.NoError(t, conn.Close(t.Context()))
	}
}

// A pid file whose pid belongs to some other living process must not matter.
func TestClusterRestartsOverAStrangersPID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := cluster(t, localstack.ClusterOptions{})
	require.NoError(t, c.Kill())
	other := command(t, dir, "polite")
	info, err := os.Stat(c.Data)
	require.NoError(t, err)
	other.Credential = credentialOf(info)
	other.Path = openCopy(t, other.Path)
	other.Dir = "/"
	p, _ := started(t, localstack.NewSupervisor(dir), other)
	file := filepath.Join(c.Data, "postmaster.pid")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	stale := append([]byte(strconv.Itoa(p.PID())), raw[bytes.IndexByte(raw, 0x0a):]...)
	require.NoError(t, os.WriteFile(file, stale, 0o600))

	require.NoError(t, c.Restart(t.Context()))

	require.True(t, p.Alive())
}

func TestClusterKeepsItsDataOverAStop(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "postgres")
	first, err := localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, first.CreateDatabase(t.Context(), "shop"))
	require.NoError(t, first.Stop(t.Context()))
	require.DirExists(t, first.Data)

	again := cluster(t, localstack.ClusterOptions{Dir: dir})
	require.Equal(t, first.Data, again.Data)
	conn := connect(t, again.DSN("shop"))
	require.NoError(t, conn.Close(t.Context()))

	// As root the server's account cannot enter t.TempDir, so a link stands there.
	link, err := os.Lstat(filepath.Join(dir, "data"))
	require.NoError(t, err)
	require.Equal(t, os.Geteuid() == 0, link.Mode()&fs.ModeSymlink != 0)
}

// Data whose link is gone belongs to a folder that somebody has removed.
func TestClusterForgetsDataWithoutLink(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "postgres")
	first, err := localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, first.CreateDatabase(t.Context(), "shop"))
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, os.RemoveAll(dir))

	again := cluster(t, localstack.ClusterOptions{Dir: dir})
	_, err = pgx.Connect(t.Context(), again.DSN("shop"))
	require.ErrorContains(t, err, `database "shop" does not exist`)
}

func TestClusterAlreadyRunning(t *testing.T) {
	t.Parallel()
	c := cluster(t, localstack.ClusterOptions{})
	_, err := localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: c.Dir})
	require.ErrorContains(t, err, fmt.Sprintf("runs already on %s as process %d", c.Data, c.PID()))
	conn := connect(t, c.DSN("postgres"))
	require.NoError(t, conn.Close(t.Context()))
}

func TestClusterOnATakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "postgres")
	port := l.Addr().(*net.TCPAddr).Port
	_, err = localstack.StartCluster(t.Context(), localstack.ClusterOptions{Dir: dir, Port: port, Ephemeral: true})
	require.ErrorContains(t, err, "could not bind")
	require.NoDirExists(t, dir)
}

// The death of the process that started it ends an ephemeral cluster, as when
// `go test` runs into its time limit.
func TestClusterEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "postgres")
	p, word := started(t, localstack.NewSupervisor(filepath.Join(dir, "run")), command(t, dir, "cluster", "DIR="+data))
	pid, err := strconv.Atoi(word)
	require.NoError(t, err)
	real, err := filepath.EvalSymlinks(filepath.Join(data, "data"))
	require.NoError(t, err)
	require.True(t, runs(pid))

	killAlone(t, p.PID())

	eventually(t, func() bool { return !runs(pid) })
	eventually(t, func() bool { return missing(data) && missing(real) })
}

func missing(path string) bool {
	_, err := os.Lstat(path)
	return os.IsNotExist(err)
}
