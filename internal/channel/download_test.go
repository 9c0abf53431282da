package channel

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestDownloadAllows(t *testing.T) {
	t.Parallel()
	d := Download{Base: "http://127.0.0.1:9090/messenger", Domains: []string{"fbcdn.net"}}
	for link, want := range map[string]bool{
		"http://127.0.0.1:9090/messenger/files/1": true, "http://127.0.0.1:9090/_sim/accounts": true, // the simulator itself
		"https://fbcdn.net/x": true, "https://scontent.xx.FBCDN.net/x?oh=1": true, "https://a.fbcdn.net:443/x": true,
		"http://127.0.0.1:9091/x": false, "https://127.0.0.1:9090/x": false, "http://a.fbcdn.net/x": false, "https://a.fbcdn.net:444/x": false,
		"https://xfbcdn.net/x": false, "https://fbcdn.net.example.com/x": false, "https://u:p@fbcdn.net/x": false, "https://[::1]/x": false, "ftp://fbcdn.net/x": false,
	} {
		req, err := http.NewRequest(http.MethodGet, link, nil)
		require.NoError(t, err, link)
		require.Equal(t, want, d.allows(req.URL), link)
	}
	require.False(t, Download{}.allows(httptest.NewRequest(http.MethodGet, "/x", nil).URL), "no base, no domains")
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"157.240.1.1": true, "2a03:2880::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "192.0.0.192": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "::ffff:127.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "ff02::1": false,
	} {
		require.Equal(t, want, public(netip.MustParseAddr(address)), address)
	}
	require.ErrorIs(t, publicOnly(t.Context(), "tcp", "127.0.0.1:80", nil), errNoPublic)
	require.ErrorIs(t, publicOnly(t.Context(), "tcp", "nonsense", nil), errNoPublic)
	require.NoError(t, publicOnly(t.Context(), "tcp", "157.240.1.1:443", nil))
}

// A name that the provider owns may still resolve to this machine: the
// connection is refused when the address is known.
func TestTheGuardStandsAtTheConnection(t *testing.T) {
	t.Parallel()
	url, calls := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	guarded := newGuarded(&http.Transport{})
	t.Cleanup(guarded.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := guarded.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.ErrorIs(t, err, errNoPublic)
	require.Zero(t, calls.Load())
}

func TestOpenFollowsRedirectsOfTheProviderOnly(t *testing.T) {
	t.Parallel()
	elsewhere, strangers := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	var tokens []string
	url, calls := server(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/twice":
			http.Redirect(w, r, "/file", http.StatusFound)
		default:
			_, _ = io.WriteString(w, "bytes")
		}
	})
	c := client(t, HTTPOptions{})
	f, err := c.Open(t.Context(), Download{URL: url + "/twice", Token: "secret", Base: url})
	require.NoError(t, err)
	data, err := io.ReadAll(f.Body)
	require.NoError(t, err)
	require.NoError(t, f.Body.Close())
	require.Equal(t, "bytes", string(data))
	require.Equal(t, []string{"Bearer secret", "Bearer secret"}, tokens)
	for _, path := range []string{"/away", "/loop"} {
		_, err := c.Open(t.Context(), Download{URL: url + path, Base: url})
		e := fault(t, err)
		require.Equal(t, Rejected, e.Fault, path)
		require.Equal(t, omniflow.MediaUnavailable, e.Reason)
	}
	require.Zero(t, strangers.Load())
	require.EqualValues(t, 2+1+1+maxRedirects, calls.Load())
}

func TestOpenReadsWhatIsNoFile(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		open, withToken Fault
	}{
		202: {Unavailable, Unavailable}, 204: {Unavailable, Unavailable}, 400: {Rejected, Rejected}, 401: {Rejected, Misconfigured}, 403: {Rejected, Misconfigured},
		404: {Rejected, Rejected}, 408: {Unavailable, Unavailable}, 410: {Rejected, Rejected}, 429: {Throttled, Throttled}, 500: {Unavailable, Unavailable}, 503: {Unavailable, Unavailable},
	} {
		url, _ := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		c := client(t, HTTPOptions{})
		_, err := c.Open(t.Context(), Download{URL: url, Base: url})
		require.Equal(t, want.open, fault(t, err).Fault, status)
		_, err = c.Open(t.Context(), Download{URL: url, Base: url, Token: "secret"})
		require.Equal(t, want.withToken, fault(t, err).Fault, status)
	}
	url, _ := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) { cut(w) })
	_, err := client(t, HTTPOptions{}).Open(t.Context(), Download{URL: url, Base: url})
	require.Equal(t, Unavailable, fault(t, err).Fault)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client(t, HTTPOptions{}).Open(ctx, Download{URL: url, Base: url})
	require.Equal(t, "cancelled", fault(t, err).Code)
}
