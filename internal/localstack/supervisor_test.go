package localstack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/localstack"
)

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := localstack.NewSupervisor(filepath.Join(dir, "run"))
	p, _ := started(t, s, command(t, dir, "polite"))
	require.True(t, p.Alive())

	require.NoError(t, p.Stop(t.Context(), time.Minute))

	require.False(t, p.Alive())
	require.NoError(t, p.Wait(t.Context()), "it ended by itself, with code 0")
	require.NoFileExists(t, filepath.Join(dir, "run", "polite.pid"))
	require.NoError(t, p.Stop(t.Context(), time.Minute), "a second stop does nothing")
}

func TestStopKillsAfterTheBudget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _ := started(t, localstack.NewSupervisor(filepath.Join(dir, "run")), command(t, dir, "stubborn"))

	require.NoError(t, p.Stop(t.Context(), 50*time.Millisecond))

	require.ErrorContains(t, p.Wait(t.Context()), "signal: killed")
}

func TestKillReachesOtherSessions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, word := started(t, localstack.NewSupervisor(filepath.Join(dir, "run")), command(t, dir, "parent"))
	child, err := strconv.Atoi(word)
	require.NoError(t, err)
	require.True(t, exists(child))

	require.NoError(t, p.Kill())

	require.ErrorContains(t, p.Wait(t.Context()), "signal: killed")
	running, err := localstack.Running(filepath.Join(dir, "run"))
	require.NoError(t, err)
	require.Empty(t, running)
	require.False(t, runs(child), "the child of the killed process")
}

func TestStopAllFromPIDFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	s := localstack.NewSupervisor(run)
	first, _ := started(t, s, command(t, dir, "polite"))
	second, word := started(t, s, command(t, dir, "parent"))
	child, err := strconv.Atoi(word)
	require.NoError(t, err)
	running, err := localstack.Running(run)
	require.NoError(t, err)
	require.Equal(t, []string{"parent", "polite"}, running)

	stopped, err := localstack.StopAll(t.Context(), run) // as `make down` does, by the files alone

	require.NoError(t, err)
	require.Equal(t, []string{"parent", "polite"}, stopped, "the last started first")
	require.NoError(t, first.Wait(t.Context()))
	require.Error(t, second.Wait(t.Context()))
	require.False(t, runs(child), "what a stopped process leaves behind")
	left, err := filepath.Glob(filepath.Join(run, "*.pid"))
	require.NoError(t, err)
	require.Empty(t, left)

	stopped, err = s.StopAll(t.Context())
	require.NoError(t, err)
	require.Empty(t, stopped)
}

func TestStopAllSparesAStranger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	p, _ := started(t, localstack.NewSupervisor(run), command(t, dir, "polite"))
	file := filepath.Join(run, "polite.pid")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	require.Len(t, lines, 4)
	lines[3] += "9" // the pid now belongs to a program that started at another time
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644))

	stopped, err := localstack.StopAll(t.Context(), run)

	require.NoError(t, err)
	require.Empty(t, stopped)
	require.True(t, p.Alive())
	require.NoFileExists(t, file)
}

func TestStopAllReportsABrokenPIDFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "one line": "12\n", "no number": "x\n15\n1\ny\n", "init": "1\n15\n1\ny\n", "group": "-5\n15\n1\ny\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(run, "api.pid"), []byte(content), 0o644))
			stopped, err := localstack.StopAll(t.Context(), run)
			require.ErrorContains(t, err, "pid file of api")
			require.Empty(t, stopped)
		})
	}
}

func TestStartRefusesASecondOfTheName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	p, _ := started(t, localstack.NewSupervisor(run), command(t, dir, "polite"))

	_, err := localstack.NewSupervisor(run).Start(command(t, dir, "polite"))

	require.EqualError(t, err, fmt.Sprintf("polite runs already as process %d", p.PID()))
	require.True(t, p.Alive())
}

func TestStartReportsAMissingProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := command(t, dir, "polite")
	c.Path = filepath.Join(dir, "nothing")
	_, err := localstack.NewSupervisor(dir).Start(c)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "start polite")
}

// runs tells a live process from a zombie that nobody reaps.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return exists(pid) && (err != nil || !strings.Contains(string(stat), ") Z "))
}
