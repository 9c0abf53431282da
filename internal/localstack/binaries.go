package localstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the first major version that the migrations run on.
const oldestPostgres = 14

// errNoPostgres is the one line that a person gets when nothing was found.
var errNoPostgres = errors.New("no PostgreSQL server of version 14 or newer found (initdb and postgres in PATH, " +
	"pg_config, /usr/lib/postgresql, Homebrew): install it with `apt-get install postgresql` or `brew install postgresql@17`")

// binaries is one installation of the PostgreSQL server.
type binaries struct {
	dir   string // holds initdb and postgres
	major int    // 14, 15, …
}

func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }
func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }

// finder looks for installations of PostgreSQL.
type finder struct {
	path  []string // the folders of PATH
	globs []string // patterns of further folders with the programs
}

// systemFinder looks in path, a value of PATH, and where Debian, Red Hat and
// Homebrew put the server.
func systemFinder(path string) finder {
	return finder{path: filepath.SplitList(path), globs: []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
	}}
}

// find gives the installation for a data folder of major version want: the
// first of that version, or for want 0 the first at all. PATH comes first, then
// pg_config, then the known folders, newest version first.
func (f finder) find(ctx context.Context, want int) (binaries, error) {
	all := f.all(ctx)
	if len(all) == 0 {
		return binaries{}, errNoPostgres
	}
	if want == 0 {
		return all[0], nil
	}
	for _, b := range all {
		if b.major == want {
			return b, nil
		}
	}
	return binaries{}, fmt.Errorf("the data folder is of PostgreSQL %d, but only %d is installed: "+
		"install that version or remove the folder", want, all[0].major)
}

func (f finder) all(ctx context.Context) []binaries {
	dirs := slices.Clone(f.path)
	for _, dir := range f.path {
		out, err := exec.CommandContext(ctx, filepath.Join(dir, "pg_config"), "--bindir").Output()
		if err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	found := inspect(ctx, dirs)
	var known []string
	for _, pattern := range f.globs {
		match, err := filepath.Glob(pattern)
		if err == nil { // the patterns are constants, tests aside
			known = append(known, match...)
		}
	}
	more := inspect(ctx, known)
	slices.SortStableFunc(more, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	return append(found, more...)
}

// inspect keeps the folders that hold a server of a version we can use.
func inspect(ctx context.Context, dirs []string) []binaries {
	var found []binaries
	for _, dir := range dirs {
		if !executable(filepath.Join(dir, "initdb")) || !executable(filepath.Join(dir, "postgres")) {
			continue
		}
		out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if major := majorVersion(string(out)); major >= oldestPostgres {
			found = append(found, binaries{dir: dir, major: major})
		}
	}
	return found
}

// majorVersion reads "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" and
// "postgres (PostgreSQL) 18beta1"; 0 is anything else.
func majorVersion(line string) int {
	match := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindStringSubmatch(line)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return major
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
