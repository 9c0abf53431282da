package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"go.temporal.io/server/common/testing/freeport"
)

const loopback = "127.0.0.1"

// listener is one address that a flag asks for.
type listener struct {
	flag string // without dashes
	ip   string
	port int
}

// check reports in one line, naming port and flag, why the address cannot be
// listened on.
func (l listener) check() error {
	addr := net.JoinHostPort(l.ip, strconv.Itoa(l.port))
	probe, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken on %s: stop what listens there, or choose another with --%s", l.port, l.ip, l.flag)
	}
	if err != nil {
		return fmt.Errorf("listen on %s (--%s): %w", addr, l.flag, err)
	}
	return probe.Close()
}

// resolvePorts turns host names into addresses, fills in the ports left open
// and checks that all are free.
func (o *options) resolvePorts() error {
	var err error
	if o.ip, err = resolveIP("ip", o.ip); err != nil {
		return err
	}
	if o.uiIP, err = resolveIP("ui-ip", o.uiIP); err != nil {
		return err
	}
	if o.port == 0 {
		o.port = freeport.MustGetFreePort()
	}
	wanted := []listener{{"port", o.ip, o.port}}
	if !o.headless {
		if o.uiPort == 0 {
			o.uiPort = uiPortFor(o.port)
		}
		wanted = append(wanted, listener{"ui-port", o.uiIP, o.uiPort})
	}
	if o.httpPort != 0 {
		wanted = append(wanted, listener{"http-port", o.ip, o.httpPort})
	}
	if o.metricsPort != 0 {
		wanted = append(wanted, listener{"metrics-port", o.ip, o.metricsPort})
	}
	return checkAll(wanted)
}

func checkAll(wanted []listener) error {
	seen := make(map[int]string)
	for _, l := range wanted {
		if other, taken := seen[l.port]; taken {
			return fmt.Errorf("port %d is asked for twice: by --%s and by --%s", l.port, other, l.flag)
		}
		seen[l.port] = l.flag
		if err := l.check(); err != nil {
			return err
		}
	}
	return nil
}

// uiPortFor is port + 1000 as in the Temporal CLI, or a free port where that is
// past the last one.
func uiPortFor(port int) int {
	if port+1000 > 65535 {
		return freeport.MustGetFreePort()
	}
	return port + 1000
}

// resolveIP returns host as a numeric address, IPv4 if it has one.
func resolveIP(flag, host string) (string, error) {
	if ip := net.ParseIP(host); ip != nil {
		return ip.String(), nil
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return "", fmt.Errorf("--%s %s: %w", flag, host, err)
	}
	for _, ip := range ips {
		if v4 := ip.To4(); v4 != nil {
			return v4.String(), nil
		}
	}
	return ips[0].String(), nil
}

// reachable is the address at which a client on this machine finds what
// listens on ip and port.
func reachable(ip string, port int) string {
	switch parsed := net.ParseIP(ip); {
	case !parsed.IsUnspecified():
	case parsed.To4() != nil:
		ip = loopback
	default:
		ip = "::1"
	}
	return net.JoinHostPort(ip, strconv.Itoa(port))
}
