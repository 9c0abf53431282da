package localstack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// Free ports are looked for below the range from which Linux and macOS give
// ports to outgoing connections, so that no connection takes one between a
// kill and a restart.
const (
	lowestFreePort  = 20000
	highestFreePort = 31999
)

// CheckPort reports in one line that nothing can listen on 127.0.0.1:port:
// name is the program's that wants it, envVar the setting that moves it.
func CheckPort(name string, port int, envVar string) error {
	err := listenable(port)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d (%s) is taken by another program: stop it or set %s", port, name, envVar)
	default:
		return fmt.Errorf("port %d (%s) cannot be used: %w: set %s", port, name, err, envVar)
	}
}

// FreePort gives a TCP port of 127.0.0.1 on which nothing listens: a random
// one between 20000 and 31999. Nothing keeps it free.
func FreePort() (int, error) {
	var last error
	for range 200 {
		port := lowestFreePort + rand.IntN(highestFreePort-lowestFreePort+1)
		if last = listenable(port); last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

// listenable tries to listen on every address first: macOS lets a program
// listen on 127.0.0.1 beside another that listens on all addresses.
func listenable(port int) error {
	for _, host := range []string{"", "127.0.0.1"} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}
