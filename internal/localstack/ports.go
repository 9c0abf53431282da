package localstack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
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
// one between 20000 and 31999. No other call gives it while this process
// lives, in whichever process: stacks that start at once do not meet.
func FreePort() (int, error) {
	var last error
	for range 200 {
		port := lowestFreePort + rand.IntN(highestFreePort-lowestFreePort+1)
		if last = listenable(port); last == nil {
			last = reserve(port)
		}
		if last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

// reserve locks an empty file in the user's cache that stands for the port,
// until the process ends: its descriptor is never closed. A user without a
// cache has no reservations.
func reserve(port int) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	dir := filepath.Join(cache, "omniflow", "ports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil
	}
	file, err := syscall.Open(filepath.Join(dir, strconv.Itoa(port)), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("reserve port %d: %w", port, err)
	}
	if err := syscall.Flock(file, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("reserve port %d: %w", port, err), syscall.Close(file))
	}
	return nil
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
