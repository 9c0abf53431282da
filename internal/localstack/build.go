package localstack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"omniflow/internal/temporalserver"
)

// Programs are the paths of what a Stack runs.
type Programs struct {
	API, Worker, Starter, Simulator string
	Temporal                        string // ours or the temporal CLI; both know `server start-dev`
}

// Build compiles our programs and the Temporal server into .local/bin below
// root, the folder of the module. Lines about it go to log. What is up to date
// costs a second; the first build of the Temporal server takes minutes, and is
// left out where a temporal CLI of version 1.9 or newer is in PATH.
func Build(ctx context.Context, root string, log io.Writer) (Programs, error) {
	var c Config
	err := c.Build(ctx, root, log)
	return c.Programs, err
}

// Build is the function Build for this stack's Programs: the CLI, which knows
// no PostgreSQL, is not used for TemporalOnPostgres.
func (c *Config) Build(ctx context.Context, root string, log io.Writer) error {
	p, err := buildOwn(ctx, root, log)
	if err != nil {
		return err
	}
	if !c.TemporalOnPostgres {
		p.Temporal = temporalCLI(ctx)
	}
	if p.Temporal != "" {
		fmt.Fprintln(log, "using the Temporal CLI", p.Temporal)
	} else if p.Temporal, err = temporalserver.Build(ctx, root, log); err != nil {
		return err
	}
	c.Programs = p
	return nil
}

func buildOwn(ctx context.Context, root string, log io.Writer) (Programs, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Programs{}, err
	}
	var p Programs
	for _, b := range []struct {
		target *string
		name   string
		folder string
	}{
		{&p.API, "api", "./api"},
		{&p.Worker, "worker", "./worker"},
		{&p.Starter, "starter", "./starter"},
		{&p.Simulator, "simulator", "./internal/simulator/serve"},
	} {
		*b.target = filepath.Join(root, ".local", "bin", b.name)
		fmt.Fprintln(log, "building", b.name)
		if err := goBuild(ctx, root, *b.target, b.folder); err != nil {
			return Programs{}, err
		}
	}
	return p, nil
}

func goBuild(ctx context.Context, root, target, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", target, folder)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", folder, err, bytes.TrimSpace(out))
	}
	return nil
}

// temporalCLI gives the temporal program in PATH if it is new enough, else "".
func temporalCLI(ctx context.Context) string {
	path, err := exec.LookPath("temporal")
	if err != nil {
		return ""
	}
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = os.Environ()
	out, err := cmd.Output()
	if err != nil || !newEnough(string(out)) {
		return ""
	}
	return path
}

// newEnough reads "temporal version 1.9.1 (Server 1.32.0, UI 2.58.0)". Version
// 1.9 is the first that ships a server of 1.32, whose features we use.
func newEnough(version string) bool {
	match := regexp.MustCompile(`^temporal version v?(\d+)\.(\d+)`).FindStringSubmatch(version)
	if match == nil {
		return false
	}
	major, errMajor := strconv.Atoi(match[1])
	minor, errMinor := strconv.Atoi(match[2])
	return errMajor == nil && errMinor == nil && (major > 1 || (major == 1 && minor >= 9))
}
