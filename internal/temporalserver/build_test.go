package temporalserver

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// syncBuffer is a log that many builds write to.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) builds() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), "building the Temporal server: the first time takes minutes\n")
}

// tree makes a module omniflow whose server is a program that prints text.
func tree(t *testing.T, text string) string {
	t.Helper()
	root := t.TempDir()
	source := filepath.Join(root, "deploy", "temporal")
	require.NoError(t, os.MkdirAll(source, 0o755))
	write(t, filepath.Join(root, "go.mod"), "module omniflow\n")
	write(t, filepath.Join(source, "go.mod"), "module omniflow/deploy/temporal\n\ngo 1.26\n")
	writeProgram(t, root, text)
	return root
}

func writeProgram(t *testing.T, root, text string) {
	t.Helper()
	write(t, filepath.Join(root, "deploy", "temporal", "main.go"), "package main\n\nfunc main() { print("+text+") }\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// age sets the time of the program built under root.
func age(t *testing.T, program string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	require.NoError(t, os.Chtimes(program, at, at))
}

func output(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	require.NoError(t, err)
	return string(out)
}

func TestBuildBuildsOnceAndAgainWhenASourceIsNewer(t *testing.T) {
	t.Parallel()
	root := tree(t, `"one"`)
	var log syncBuffer

	program, err := Build(t.Context(), root, &log)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, ".local", "bin", "temporal-server"), program)
	require.Equal(t, "one", output(t, program))

	_, err = Build(t.Context(), root, &log)
	require.NoError(t, err)
	require.Equal(t, 1, log.builds())

	age(t, program, time.Hour)
	writeProgram(t, root, `"two"`)
	_, err = Build(t.Context(), root, &log)
	require.NoError(t, err)
	require.Equal(t, 2, log.builds())
	require.Equal(t, "two", output(t, program))
}

func TestBuildIgnoresNewerTests(t *testing.T) {
	t.Parallel()
	root := tree(t, `"one"`)
	var log syncBuffer
	_, err := Build(t.Context(), root, &log)
	require.NoError(t, err)

	test := filepath.Join(root, "deploy", "temporal", "main_test.go")
	write(t, test, "package main\n")
	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(test, later, later))
	_, err = Build(t.Context(), root, &log)
	require.NoError(t, err)
	require.Equal(t, 1, log.builds())
}

func TestBuildsAtOnceWaitForOne(t *testing.T) {
	t.Parallel()
	root := tree(t, `"one"`)
	var log syncBuffer
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			_, err := Build(t.Context(), root, &log)
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, 1, log.builds())
}

func TestBuildTellsWhatTheCompilerSaid(t *testing.T) {
	t.Parallel()
	root := tree(t, `undefined`)
	_, err := Build(t.Context(), root, &syncBuffer{})
	require.ErrorContains(t, err, "build the Temporal server")
	require.ErrorContains(t, err, "undefined: undefined")
	require.NoFileExists(t, filepath.Join(root, ".local", "bin", "temporal-server"))
}

func TestBuildEndsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	root := tree(t, `"one"`)
	folder := filepath.Join(root, ".local", "bin")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	unlock, err := lock(t.Context(), filepath.Join(folder, "temporal-server.lock"))
	require.NoError(t, err)
	defer unlock()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Build(ctx, root, &syncBuffer{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRoot(t *testing.T) {
	t.Parallel()
	root := tree(t, `"one"`)
	got, err := Root(filepath.Join(root, "deploy", "temporal"))
	require.NoError(t, err)
	require.Equal(t, root, got)

	_, err = Root(t.TempDir())
	require.ErrorContains(t, err, "find the module omniflow")
}
