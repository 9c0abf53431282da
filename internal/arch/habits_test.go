package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// funcLines is the most lines of a function that is no test.
const funcLines = 60

const serialSubtest = "runs a subtest that does not call t.Parallel"

// serialSubtests are files with a subtest that cannot be parallel, and why.
var serialSubtests = map[string]string{
	"internal/postgres/postgrestest/postgrestest_test.go": "looks at what the end of a subtest leaves behind",
}

func TestFunctionsAreShortAndNoneIsInit(t *testing.T) {
	t.Parallel()
	report(t, "functions against the rules of size and of no init", eachFile(t, trackedFiles(t), false, functions))
}

func TestTestsKeepTheirHabits(t *testing.T) {
	t.Parallel()
	report(t, "tests against the rules: t.Parallel in each, no Skip, no time.Sleep, no assert", eachFile(t, trackedFiles(t), true, tests))
}

// eachFile parses the Go files written by hand that are tests, or those that
// are none, and gathers what check finds in them.
func eachFile(t *testing.T, files []source, isTest bool, check func(*token.FileSet, *ast.File) []string) []string {
	t.Helper()
	var findings []string
	for _, f := range files {
		inTestdata := slices.Contains(strings.Split(path.Dir(f.path), "/"), "testdata")
		if path.Ext(f.path) != ".go" || strings.HasSuffix(f.path, "_test.go") != isTest || inTestdata || generated.Match(f.text) {
			continue
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, f.path, f.text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, finding := range check(fset, parsed) {
			if serialSubtests[f.path] != "" && strings.Contains(finding, serialSubtest) {
				continue
			}
			findings = append(findings, path.Dir(path.Dir(f.path))+"/"+finding)
		}
	}
	return findings
}

func functions(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, at(fset, fn)+" has an init function")
		}
		lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
		if lines > funcLines {
			findings = append(findings, fmt.Sprintf("%s %s has %d lines, %d at most", at(fset, fn), fn.Name.Name, lines, funcLines))
		}
	}
	return findings
}

func tests(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	for _, spec := range f.Imports {
		if spec.Path.Value == `"github.com/stretchr/testify/assert"` {
			findings = append(findings, at(fset, spec)+" imports assert")
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if isTestFunc(n) && !callsParallel(n.Body) {
				findings = append(findings, at(fset, n)+" "+n.Name.Name+" does not call t.Parallel")
			}
		case *ast.CallExpr:
			findings = append(findings, testCall(fset, n)...)
		}
		return true
	})
	return findings
}

// testCall looks at one call in a test.
func testCall(fset *token.FileSet, call *ast.CallExpr) []string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	on, _ := selector.X.(*ast.Ident)
	switch name := selector.Sel.Name; {
	case on != nil && on.Name == "t" && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name):
		return []string{at(fset, call) + " skips"}
	case on != nil && on.Name == "time" && name == "Sleep":
		return []string{at(fset, call) + " sleeps"}
	case on != nil && on.Name == "t" && name == "Run" && len(call.Args) == 2:
		if body, ok := call.Args[1].(*ast.FuncLit); ok && !callsParallel(body.Body) {
			return []string{at(fset, call) + " " + serialSubtest}
		}
	}
	return nil
}

// isTestFunc reports whether fn is a test, not a benchmark, a fuzz target or
// TestMain.
func isTestFunc(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") || len(fn.Type.Params.List) != 1 {
		return false
	}
	pointer, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	typ, ok := pointer.X.(*ast.SelectorExpr)
	return ok && typ.Sel.Name == "T"
}

// callsParallel reports whether body calls Parallel itself, not in a function
// within it.
func callsParallel(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if _, inner := n.(*ast.FuncLit); inner {
			return false
		}
		if selector, ok := n.(*ast.SelectorExpr); ok && selector.Sel.Name == "Parallel" {
			found = true
		}
		return !found
	})
	return found
}

func TestHabitChecksFind(t *testing.T) {
	t.Parallel()
	const text = `package a

import "github.com/stretchr/testify/assert"

func init() {}

func TestLoud(t *testing.T) {
	t.Skip()
	time.Sleep(1)
	t.Run("", func(t *testing.T) {})
	t.Run("", func(t *testing.T) { t.Parallel() })
}

func TestGood(t *testing.T) { t.Parallel() }

func TestMain(m *testing.M) {}
`
	want := []string{
		"./a/a_test.go:3 imports assert",
		"./a/a_test.go:7 TestLoud does not call t.Parallel",
		"./a/a_test.go:8 skips",
		"./a/a_test.go:9 sleeps",
		"./a/a_test.go:10 runs a subtest that does not call t.Parallel",
	}
	require.Equal(t, want, eachFile(t, []source{{"a/a_test.go", []byte(text)}}, true, tests))
	require.Equal(t, []string{"./a/a.go:5 has an init function"}, eachFile(t, []source{{"a/a.go", []byte(text)}}, false, functions))

	long := "package a\n\nfunc f() {\n" + strings.Repeat("\n", 59) + "}\n"
	require.Equal(t, []string{"./a/a.go:3 f has 61 lines, 60 at most"},
		eachFile(t, []source{{"a/a.go", []byte(long)}, {"a/testdata/a.go", []byte(long)}}, false, functions))
}
