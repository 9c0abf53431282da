package channel

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// newGuarded is a pool of connections that reach public addresses only,
// whatever a name resolves to. Where a proxy stands between us and the world,
// the addresses are its business.
func newGuarded(base *http.Transport) *http.Transport {
	t := base.Clone()
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second, ControlContext: publicOnly}
	if probe, err := http.NewRequest(http.MethodGet, "https://graph.facebook.com", nil); err == nil && base.Proxy != nil {
		if proxy, err := base.Proxy(probe); err == nil && proxy != nil {
			dialer.ControlContext = nil
		}
	}
	t.DialContext = dialer.DialContext
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 32, 8
	return t
}

// publicOnly refuses an address, already resolved, that is not a public one.
func publicOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !public(to.Addr()) {
		return errNoPublic
	}
	return nil
}

// reserved are the unicast addresses that lead into somebody's own network, or
// carry another address inside.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/32"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}
