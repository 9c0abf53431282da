package main

import (
	"net/http"

	swgui "github.com/swaggest/swgui/v5emb"
)

// docsPath is where a browser reads the API's reference.
const docsPath = "/docs"

// docsPolicy lets the page load its own parts and ask this API, and nothing
// else: the viewer is inside the program, so that it works without a way out.
const docsPolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// addDocs serves the viewer of /openapi.json.
func addDocs(m *router) {
	viewer := swgui.New("omniflow", "/openapi.json", docsPath)
	serve := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		viewer.ServeHTTP(w, r)
	}
	m.HandleFunc("GET "+docsPath, serve)
	m.HandleFunc("GET "+docsPath+"/{part...}", serve)
}
