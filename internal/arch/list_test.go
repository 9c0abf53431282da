package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/temporalserver"
)

// pkg is what `go list -json` says of a package, as far as the tests need it.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string // direct, of the files that are no tests
	Deps       []string // all that is linked in
}

// module lists the packages of the root module. It runs once for all tests.
var module = sync.OnceValues(func() ([]pkg, error) {
	root, err := temporalserver.Root(".")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var packages []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	list, err := module()
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

// source is a file of the tree.
type source struct {
	path string // below the root, with slashes
	text []byte
}

// tracked reads every file that git tracks or, outside a repository, every file
// of the tree. It runs once for all tests.
var tracked = sync.OnceValues(func() ([]source, error) {
	root, err := temporalserver.Root(".")
	if err != nil {
		return nil, err
	}
	names, err := gitFiles(root)
	if err != nil {
		names, err = walkFiles(root)
	}
	if err != nil {
		return nil, err
	}
	var files []source
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed and not committed yet
		}
		if err != nil {
			return nil, err
		}
		files = append(files, source{name, text})
	}
	return files, nil
})

func gitFiles(root string) ([]string, error) {
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), err
}

func walkFiles(root string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".local" || path == filepath.Join(root, "bin")):
			return filepath.SkipDir
		case d.Type().IsRegular():
			name, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	return names, err
}

func trackedFiles(t *testing.T) []source {
	t.Helper()
	files, err := tracked()
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// report fails t with one line a finding.
func report(t *testing.T, rule string, findings []string) {
	t.Helper()
	if len(findings) > 0 {
		t.Errorf("%s:\n  %s", rule, strings.Join(findings, "\n  "))
	}
}
