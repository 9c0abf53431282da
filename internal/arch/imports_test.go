package arch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// layer says what the packages of one pattern may import. A pattern is an
// import path, or one that ends in /... and means the path and all below it.
type layer struct {
	of     string
	except []string // packages the rule leaves alone
	own    []string // the only packages of ours it may import; nil: any
	never  []string // what no file of it imports
	links  []string // what it does not import, nor does anything it imports
	why    string
}

// pureExceptions lie below net and touch no network.
var pureExceptions = []string{"net/url", "net/netip", "net/mail"}

const (
	root    = "omniflow/"
	domain  = root + "internal/omniflow"
	channel = root + "internal/channel"
	store   = root + "internal/postgres"
)

// layers is the import table of the tree. A package that does not exist yet
// breaks no rule.
var layers = []layer{
	{
		of: "omniflow/...", links: []string{"go.temporal.io/server/..."},
		why: "the Temporal server stays in deploy/temporal, or its 1,800 packages come along",
	},
	{
		of: domain + "/...", own: []string{domain + "/..."},
		never: []string{"net/...", "os/...", "io/fs", "syscall", "database/sql", "go.temporal.io/...", "github.com/jackc/..."},
		why:   "the domain is pure: no engine, database, HTTP or files",
	},
	{
		of: channel, own: []string{domain},
		links: []string{"go.temporal.io/...", store + "/...", "github.com/jackc/...", "database/sql"},
		why:   "a channel knows neither the engine nor the database",
	},
	{
		of: channel + "/...", except: []string{channel, channel + "/channeltest"},
		own:   []string{domain, channel, channel + "/graph", channel + "/pace"},
		links: []string{"go.temporal.io/...", store + "/...", "github.com/jackc/...", "database/sql"},
		why:   "a channel knows no other channel, nor the engine, nor the database",
	},
	{
		of: store, own: []string{domain, store + "/migrations"},
		links: []string{"go.temporal.io/...", channel + "/..."},
		why:   "SQL knows neither the engine nor a channel",
	},
	{
		of: root + "activities/...", own: []string{domain, channel, channel + "/pace", root + "activities/..."},
		links: []string{store + "/...", "github.com/jackc/...", "database/sql"},
		why:   "activities declare the interfaces that postgres satisfies",
	},
	{
		of: root + "workflows/...", own: []string{domain, root + "activities", root + "workflows/..."},
		never: []string{
			"net/...", "os/...", "io/fs", "database/sql", "github.com/jackc/...", "math/rand/...", "crypto/rand",
			"go.temporal.io/sdk/client", "go.temporal.io/sdk/activity",
		},
		links: []string{store + "/..."},
		why:   "workflows are deterministic and reach the world through activities only",
	},
	{
		of: root + "api/...", never: []string{root + "activities/..."},
		links: []string{root + "starter/...", root + "worker/...", root + "internal/simulator/...", root + "internal/localstack/..."},
		why:   "the API writes intent and starts; it does not do the work",
	},
	{
		of: root + "starter/...", never: []string{root + "activities/...", channel + "/..."},
		links: []string{root + "api/...", root + "worker/...", store, root + "internal/simulator/..."},
		why:   "the shell tool goes through the API; of postgres it knows the migrations only",
	},
	{
		of:    root + "worker/...",
		links: []string{root + "api/...", root + "starter/...", root + "internal/simulator/...", root + "internal/localstack/..."},
		why:   "the worker runs alone",
	},
}

func TestImports(t *testing.T) {
	t.Parallel()
	report(t, "imports against the table of layers", checkImports(packages(t), layers))
}

// checkImports returns one line for each import that breaks a layer's rule.
func checkImports(list []pkg, rules []layer) []string {
	var findings []string
	for _, p := range list {
		for _, l := range rules {
			if !matches(l.of, p.ImportPath) || slices.ContainsFunc(l.except, func(e string) bool { return matches(e, p.ImportPath) }) {
				continue
			}
			for _, imported := range p.Imports {
				if forbidden(l, p.ImportPath, imported) {
					findings = append(findings, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, l.why))
				}
			}
			for _, linked := range p.Deps {
				if matchesAny(l.links, linked) && !slices.Contains(p.Imports, linked) {
					findings = append(findings, fmt.Sprintf("%s links %s: %s", p.ImportPath, linked, l.why))
				}
			}
		}
	}
	slices.Sort(findings)
	return slices.Compact(findings)
}

func forbidden(l layer, importer, imported string) bool {
	if slices.Contains(pureExceptions, imported) || imported == importer {
		return false
	}
	ours := strings.HasPrefix(imported, root)
	return matchesAny(l.never, imported) || matchesAny(l.links, imported) || (ours && l.own != nil && !matchesAny(l.own, imported))
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

func matches(pattern, path string) bool {
	tree, isTree := strings.CutSuffix(pattern, "/...")
	return path == tree || (isTree && strings.HasPrefix(path, tree+"/"))
}

func TestCheckImportsFinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    pkg
		want string // part of the only finding; empty: none
	}{
		{"domain with HTTP", pkg{ImportPath: domain, Imports: []string{"net/http", "net/url"}}, "imports net/http"},
		{"domain with ours", pkg{ImportPath: domain, Imports: []string{store}}, "imports " + store},
		{"one channel in another", pkg{ImportPath: channel + "/line", Imports: []string{channel + "/whatsapp"}}, "channel/whatsapp"},
		{"engine behind a channel", pkg{ImportPath: channel + "/line", Deps: []string{"go.temporal.io/sdk/client"}}, "links go.temporal.io"},
		{"starter with SQL", pkg{ImportPath: root + "starter", Imports: []string{store}, Deps: []string{store}}, "imports " + store},
		{"starter with migrations", pkg{ImportPath: root + "starter", Imports: []string{store + "/migrations"}}, ""},
		{"workflow with a socket", pkg{ImportPath: root + "workflows", Imports: []string{"net"}}, "imports net"},
		{"activities with SQL behind", pkg{ImportPath: root + "activities", Deps: []string{store}}, "links " + store},
		{"api with worker", pkg{ImportPath: root + "api/webhooks", Imports: []string{root + "worker"}}, "imports omniflow/worker"},
		{"Temporal server", pkg{ImportPath: root + "internal/demo", Deps: []string{"go.temporal.io/server/temporal"}}, "deploy/temporal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := checkImports([]pkg{c.p}, layers)
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("found %q, want nothing", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
				t.Errorf("found %q, want one that says %q", got, c.want)
			}
		})
	}
}
