package channeltest

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// handleOf lets a customer send a file and gives its handle.
func (h *Harness) handleOf(t *testing.T, f simulator.File) string {
	t.Helper()
	e := h.says(t, simulator.InboundMessage{Kind: "image", Files: []simulator.File{f}})
	require.Len(t, e.Media, 1)
	require.Equal(t, "image", e.Media[0].Kind)
	require.NotEmpty(t, e.Media[0].Handle)
	return e.Media[0].Handle
}

func (h *Harness) fetch(ctx context.Context, a channel.Account, handle string) (channel.File, error) {
	return h.Provider.(channel.Fetcher).Fetch(ctx, a, handle)
}

// fetchFails asserts that a file is not given, and why.
func (h *Harness) fetchFails(t *testing.T, a channel.Account, handle string, fault channel.Fault) *channel.Error {
	t.Helper()
	_, err := h.fetch(within(t, patience), a, handle)
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault, e.Fault, "%v", err)
	require.NotContains(t, err.Error(), token)
	if handle != "" {
		require.NotContains(t, err.Error(), handle)
	}
	return e
}

// fetchesFiles: a customer's file comes whole, however often it is asked for.
func fetchesFiles(t *testing.T, h *Harness) {
	data := bytes.Repeat([]byte("file of a customer "), 200_000) // over 3 MB: more than any answer of JSON
	handle := h.handleOf(t, simulator.File{MIME: "image/png", Data: data})
	for range 2 {
		f, err := h.fetch(within(t, patience), h.Account, handle)
		require.NoError(t, err)
		require.Equal(t, "image/png", f.MIME)
		require.EqualValues(t, len(data), f.Bytes)
		got, err := io.ReadAll(f.Body)
		require.NoError(t, err)
		require.NoError(t, f.Body.Close())
		require.True(t, bytes.Equal(data, got))
	}
}

// fetchesLater: what is not there yet is asked for again.
func fetchesLater(t *testing.T, h *Harness) {
	handle := h.handleOf(t, simulator.File{Data: []byte("x"), NotReady: 2})
	for range 2 {
		h.fetchFails(t, h.Account, handle, channel.Unavailable)
	}
	f, err := h.fetch(within(t, patience), h.Account, handle)
	require.NoError(t, err)
	require.NoError(t, f.Body.Close())
}

// fetchesNoMore: what is gone is not asked for again; a file cut in the middle
// is an error of its reader.
func fetchesNoMore(t *testing.T, h *Harness) {
	e := h.fetchFails(t, h.Account, h.handleOf(t, simulator.File{Data: []byte("x"), Fault: simulator.FileGone}), channel.Rejected)
	require.Equal(t, omniflow.MediaUnavailable, e.Reason)
	lapsed := h.handleOf(t, simulator.File{Data: []byte("x"), Fault: simulator.FileExpired})
	switch h.kind {
	case omniflow.WhatsApp: // the link lapses, not the file
		h.fetchFails(t, h.Account, lapsed, channel.Unavailable)
		f, err := h.fetch(within(t, patience), h.Account, lapsed)
		require.NoError(t, err)
		require.NoError(t, f.Body.Close())
	case omniflow.Facebook, omniflow.Instagram:
		require.Equal(t, omniflow.MediaUnavailable, h.fetchFails(t, h.Account, lapsed, channel.Rejected).Reason)
	}
	f, err := h.fetch(within(t, patience), h.Account, h.handleOf(t, simulator.File{Data: bytes.Repeat([]byte("x"), 100_000), Fault: simulator.FileCut}))
	require.NoError(t, err)
	_, err = io.ReadAll(f.Body)
	require.Error(t, err)
	require.NoError(t, f.Body.Close())
}

// fetchesNothingElse: a link in a webhook leads to the provider, or nowhere.
func fetchesNothingElse(t *testing.T, h *Harness) {
	for _, handle := range []string{
		"http://127.0.0.1:1/x", "https://127.0.0.1/x", "http://169.254.169.254/latest/meta-data", "https://example.com/x", "file:///etc/passwd",
		"http://scontent.fbcdn.net/x", "https://scontent.fbcdn.net:8443/x", "https://user@scontent.fbcdn.net/x", "https://fbcdn.net.example.com/x",
		"://", "", "..",
	} {
		h.fetchFails(t, h.Account, handle, channel.Rejected)
	}
	require.Zero(t, h.Requests())
}

// fetchesWithToken: a token that is refused is the operator's to mend.
func fetchesWithToken(t *testing.T, h *Harness) {
	if h.kind == omniflow.Facebook || h.kind == omniflow.Instagram {
		return // a link is its own permission
	}
	handle := h.handleOf(t, simulator.File{Data: []byte("x")})
	for _, wrong := range []string{"", "another"} {
		account := h.Account
		account.Secrets.Token = wrong
		require.Equal(t, channel.ScopeAccount, h.fetchFails(t, account, handle, channel.Misconfigured).Scope)
	}
}
