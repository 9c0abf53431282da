package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMediaUpload(t *testing.T) {
	t.Parallel()
	s := newShell(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"M","kind":"file","mime":"application/pdf","name":"a.pdf","bytes":9,"sha256":"x"}`)
	})
	path := filepath.Join(t.TempDir(), "a.pdf")
	require.NoError(t, os.WriteFile(path, []byte("%PDF-1.7\n"), 0o600))
	code, out, errs := s.run(context.Background(), "media", "upload", path)
	require.Zero(t, code, errs)
	require.Equal(t, "file M: application/pdf, 9 bytes\n", out)
	require.Len(t, s.requests, 1)
	require.Contains(t, s.requests[0], "POST /v1/media ")
	require.Contains(t, s.requests[0], `name="file"; filename="a.pdf"`)
	require.Contains(t, s.requests[0], "%PDF-1.7\n")

	code, _, errs = s.run(context.Background(), "media", "upload", path+".missing")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no such file")
}

func TestStartSendsFilesSavedRepliesAndBoundCustomers(t *testing.T) {
	t.Parallel()
	s := newShell(t, server)
	s.in = "kind: broadcast_message\naudience: {bound: true, channel: line}\nmessages:\n  - {kind: image, media_id: M}\n  - {kind: saved_reply, saved_reply_id: R}\n"
	code, _, errs := s.run(context.Background(), "broadcast", "start", "--file", "-")
	require.Zero(t, code, errs)
	require.Equal(t, []string{`POST /v1/broadcasts {"kind":"broadcast_message","audience":{"bound":true,"channel":"line"},` +
		`"messages":[{"kind":"image","media_id":"M"},{"kind":"saved_reply","saved_reply_id":"R"}]}`}, s.requests)
}
