package localstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// noMainCluster keeps Debian's package from making and starting a cluster of
// its own. A file that is there already is an administrator's and stays as it
// is; then stopNewClusters has the work.
const noMainCluster = `mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf`

// installer puts PostgreSQL on a Debian-like machine.
type installer struct {
	root     bool
	progress io.Writer
	run      func(ctx context.Context, name string, args ...string) (string, error) // gives standard output
}

// install runs apt-get, as root or through a sudo that asks for no password.
// The error is errNoPostgres where there is no apt-get or no such right.
func (i installer) install(ctx context.Context) error {
	if _, err := i.run(ctx, "apt-get", "--version"); err != nil {
		return errNoPostgres
	}
	if !i.root {
		if _, err := i.run(ctx, "sudo", "-n", "true"); err != nil {
			return errNoPostgres
		}
	}
	fmt.Fprintln(i.progress, "PostgreSQL is not installed: running apt-get update && apt-get install -y postgresql")
	before := i.clusters(ctx)
	for _, args := range [][]string{
		{"sh", "-c", noMainCluster},
		{"apt-get", "update"},
		{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends", "postgresql"},
	} {
		if _, err := i.asRoot(ctx, args...); err != nil {
			return fmt.Errorf("install PostgreSQL: %w", err)
		}
	}
	return i.stopNewClusters(ctx, before)
}

// stopNewClusters stops the clusters that the package has made and started.
func (i installer) stopNewClusters(ctx context.Context, before map[string]bool) error {
	var faults []error
	for id := range i.clusters(ctx) {
		if before[id] {
			continue
		}
		version, name, _ := strings.Cut(id, " ")
		_, err := i.asRoot(ctx, "pg_ctlcluster", version, name, "stop")
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// clusters lists Debian's clusters as "15 main"; none where its tools are missing.
func (i installer) clusters(ctx context.Context) map[string]bool {
	found := make(map[string]bool)
	out, err := i.run(ctx, "pg_lsclusters", "-h")
	if err != nil {
		return found
	}
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 1 {
			found[fields[0]+" "+fields[1]] = true
		}
	}
	return found
}

func (i installer) asRoot(ctx context.Context, args ...string) (string, error) {
	if !i.root {
		args = append([]string{"sudo", "-n"}, args...)
	}
	return i.run(ctx, args[0], args[1:]...)
}

// output runs a program and gives its standard output; the error ends with what
// the program complained of.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}
