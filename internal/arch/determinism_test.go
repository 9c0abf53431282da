package arch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// impure names the functions, by import path, whose result differs from one run
// to the next.
var impure = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"github.com/google/uuid": {
		"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7", "NewRandomFromReader", "NewV7FromReader",
	},
}

func TestTheDomainReadsNoClock(t *testing.T) {
	t.Parallel()
	var findings []string
	for _, p := range packages(t) {
		if !matches(domain+"/...", p.ImportPath) {
			continue
		}
		fset, files := parsePackage(t, p)
		for _, f := range files {
			findings = append(findings, impureCalls(fset, f)...)
		}
	}
	report(t, "the domain is told the time and given its ids", findings)
}

func TestWorkflowsAreDeterministic(t *testing.T) {
	t.Parallel()
	var findings []string
	for _, p := range packages(t) {
		if !matches(root+"workflows/...", p.ImportPath) {
			continue
		}
		fset, files := parsePackage(t, p)
		for _, f := range files {
			findings = append(findings, impureCalls(fset, f)...)
			findings = append(findings, concurrency(fset, f)...)
		}
		findings = append(findings, mapRanges(fset, files, newLenient(t))...)
	}
	report(t, "workflow code must do the same at each replay: workflow.Now, workflow.Go, workflow.SideEffect, sorted keys", findings)
}

func parsePackage(t *testing.T, p pkg) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	return fset, files
}

// at names a position by package and file, whatever folder the tree lies in.
func at(fset *token.FileSet, n ast.Node) string {
	p := fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", path.Join(filepath.Base(filepath.Dir(p.Filename)), filepath.Base(p.Filename)), p.Line)
}

// impureCalls returns the uses, called or not, of the functions in impure.
func impureCalls(fset *token.FileSet, f *ast.File) []string {
	names := make(map[string]string) // local name of an import to its path
	for _, spec := range f.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if _, watched := impure[importPath]; err != nil || !watched {
			continue
		}
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = importPath
	}
	var findings []string
	ast.Inspect(f, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(impure[names[x.Name]], selector.Sel.Name) {
			findings = append(findings, fmt.Sprintf("%s uses %s.%s", at(fset, n), x.Name, selector.Sel.Name))
		}
		return true
	})
	return findings
}

// concurrency returns the go and select statements.
func concurrency(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.GoStmt:
			findings = append(findings, at(fset, n)+" starts a goroutine")
		case *ast.SelectStmt:
			findings = append(findings, at(fset, n)+" selects on channels")
		}
		return true
	})
	return findings
}

// mapRanges returns the loops over maps, as far as the types are known without
// the packages of others.
func mapRanges(fset *token.FileSet, files []*ast.File, importer types.Importer) []string {
	info := types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
	config := types.Config{Importer: importer, Error: func(error) {}}
	_, _ = config.Check("checked", fset, files, &info) // incomplete on purpose
	var findings []string
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			loop, ok := n.(*ast.RangeStmt)
			if !ok {
				return true
			}
			if typ := info.TypeOf(loop.X); typ != nil {
				if _, isMap := typ.Underlying().(*types.Map); isMap {
					findings = append(findings, at(fset, n)+" ranges over a map")
				}
			}
			return true
		})
	}
	return findings
}

// lenient imports packages of this module from source and no others, whose
// types stay unknown.
type lenient struct {
	t    *testing.T
	done map[string]*types.Package
}

func newLenient(t *testing.T) *lenient {
	return &lenient{t: t, done: make(map[string]*types.Package)}
}

// Import returns the package as far as it can be checked.
func (l *lenient) Import(importPath string) (*types.Package, error) {
	if p, found := l.done[importPath]; found {
		return p, nil
	}
	for _, p := range packages(l.t) {
		if p.ImportPath != importPath {
			continue
		}
		fset, files := parsePackage(l.t, p)
		config := types.Config{Importer: l, Error: func(error) {}, IgnoreFuncBodies: true}
		checked, _ := config.Check(importPath, fset, files, nil)
		l.done[importPath] = checked
		return checked, nil
	}
	return nil, errors.New("not of this module")
}

func TestDeterminismChecksFind(t *testing.T) {
	t.Parallel()
	const text = `package w

import (
	clock "time"

	"github.com/google/uuid"
	"omniflow/internal/omniflow"
)

type counts map[string]int

func f(c counts, list []int) {
	_ = clock.Now()
	later := clock.After
	_ = uuid.New()
	_ = clock.Second
	go f(c, nil)
	select {}
	for range c {
	}
	for range list {
	}
	_, _ = later, omniflow.Unknown
}
`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "w/w.go", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	require.Equal(t, []string{"w/w.go:13 uses clock.Now", "w/w.go:14 uses clock.After", "w/w.go:15 uses uuid.New"}, impureCalls(fset, f))
	require.Equal(t, []string{"w/w.go:17 starts a goroutine", "w/w.go:18 selects on channels"}, concurrency(fset, f))
	require.Equal(t, []string{"w/w.go:19 ranges over a map"}, mapRanges(fset, []*ast.File{f}, newLenient(t)))
}
