package localstack_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

// testContext bounds what runs outside a test, in a child.
func testContext() context.Context { return context.Background() }

// command gives a child of the role with its log in dir.
func command(t *testing.T, dir, role string, env ...string) localstack.Command {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return localstack.Command{
		Name: role, Path: self, LogFile: filepath.Join(dir, "log", role+".log"),
		Env: append(append(os.Environ(), childRole+"="+role), env...),
	}
}

// started runs a child and waits for its word "ready"; what follows it is returned.
func started(t *testing.T, s *localstack.Supervisor, c localstack.Command) (*localstack.Process, string) {
	t.Helper()
	p, err := s.Start(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	var word string
	eventually(t, func() bool {
		raw, err := os.ReadFile(c.LogFile)
		var ok bool
		word, ok = strings.CutPrefix(string(raw), "ready")
		return err == nil && ok && strings.HasSuffix(word, "\n")
	})
	return p, strings.TrimSpace(word)
}

// eventually waits for something that another process does.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, 20*time.Second, 10*time.Millisecond)
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// killAlone kills one process and none of its children.
func killAlone(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

// credentialOf gives the account that owns a file, nil if that is us.
func credentialOf(info os.FileInfo) *syscall.Credential {
	st := info.Sys().(*syscall.Stat_t)
	if int(st.Uid) == os.Geteuid() {
		return nil
	}
	return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}
}

// openCopy copies a program to where every account may run it.
func openCopy(t *testing.T, path string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "omniflow-localstack-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	program := filepath.Join(dir, "child")
	require.NoError(t, os.WriteFile(program, raw, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	return program
}
