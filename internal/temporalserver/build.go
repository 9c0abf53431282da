package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	sourceFolder = "deploy/temporal"
	binaryPath   = ".local/bin/temporal-server"
)

// Build returns the path of the server's program, which lies under root in
// .local/bin. Where the program is missing or older than its sources it is
// built first, told on log: minutes the first time, seconds later. Processes
// that build at once wait for the first of them.
//
// root is the folder of the module omniflow (Root). Errors: ctx.Err() while
// waiting, or what the compiler said.
func Build(ctx context.Context, root string, log io.Writer) (string, error) {
	program := filepath.Join(root, filepath.FromSlash(binaryPath))
	if fresh, err := isFresh(program, filepath.Join(root, filepath.FromSlash(sourceFolder))); err != nil || fresh {
		return program, err
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the Temporal server: %w", err)
	}
	unlock, err := lock(ctx, program+".lock")
	if err != nil {
		return "", fmt.Errorf("wait for another build of the Temporal server: %w", err)
	}
	defer unlock()
	// Another process may have built it while this one waited.
	if fresh, err := isFresh(program, filepath.Join(root, filepath.FromSlash(sourceFolder))); err != nil || fresh {
		return program, err
	}
	fmt.Fprintln(log, "building the Temporal server: the first time takes minutes")
	start := time.Now()
	if err := compile(ctx, root, program); err != nil {
		return "", err
	}
	fmt.Fprintf(log, "built the Temporal server in %s\n", time.Since(start).Round(time.Second))
	return program, nil
}

// compile writes the program beside its place and moves it there when whole:
// a server that still runs from the old file is not disturbed.
func compile(ctx context.Context, root, program string) error {
	unfinished := program + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, ".")
	cmd.Dir = filepath.Join(root, filepath.FromSlash(sourceFolder))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the Temporal server: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	if err := os.Rename(unfinished, program); err != nil {
		return fmt.Errorf("put the Temporal server in place: %w", err)
	}
	return nil
}

// isFresh reports whether program is there and no source in folder is newer.
func isFresh(program, folder string) (bool, error) {
	built, err := os.Stat(program)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the Temporal server: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false, fmt.Errorf("look at the sources of the Temporal server: %w", err)
	}
	for _, e := range entries {
		if !isSource(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return false, fmt.Errorf("look at the sources of the Temporal server: %w", err)
		}
		if info.ModTime().After(built.ModTime()) {
			return false, nil
		}
	}
	return true, nil
}

func isSource(name string) bool {
	if name == "go.mod" || name == "go.sum" {
		return true
	}
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}
