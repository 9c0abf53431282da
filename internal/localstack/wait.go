package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// startBudget is how long a program may take until it answers, unless the
// caller's context ends before.
const startBudget = 60 * time.Second

// WaitHTTP waits until a GET of url answers 200. It gives up when p ends, when
// ctx does or after 60 s, with the last lines of p's log in the error. p may be
// nil when the server is not ours.
func WaitHTTP(ctx context.Context, url string, p *Process) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	return waitFor(ctx, url, p, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, 512))
		if err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("answer %s: %s", res.Status, body)
		}
		return nil
	})
}

// WaitTCP waits until address accepts a connection; otherwise as WaitHTTP.
func WaitTCP(ctx context.Context, address string, p *Process) error {
	return waitFor(ctx, address, p, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// waitFor tries every 25 ms until try gives nil; one try may take 5 s.
func waitFor(ctx context.Context, what string, p *Process, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startBudget)
	defer cancel()
	var ended <-chan struct{} // nil blocks for ever
	if p != nil {
		ended = p.Done()
		go func() { // a try must not outlast the process
			select {
			case <-ended:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("no answer")
	for {
		err := attempt(ctx, try)
		if p != nil && !p.Alive() { // even if it answered: then another program did
			return fmt.Errorf("wait for %s: %s ended (%w)%s", what, p.Name, exitOf(p), logOf(p))
		}
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ended:
		case <-ctx.Done():
			if p != nil && !p.Alive() {
				continue // the end of the process has ended the wait
			}
			return fmt.Errorf("wait for %s: %w: last answer: %w%s", what, ctx.Err(), last, logOf(p))
		}
	}
}

func attempt(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return try(ctx)
}

// exitOf says how an ended process ended; exit code 0 has no error of its own.
func exitOf(p *Process) error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}

// logOf is the part of the log that an error message gets: 15 lines from the
// panic on if there was one, else the last 15.
func logOf(p *Process) string {
	if p == nil {
		return ""
	}
	lines := strings.Split(p.lastLines(400), "\n")
	isPanic := func(line string) bool {
		return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
	}
	from := slices.IndexFunc(lines, isPanic)
	if from < 0 {
		from = max(0, len(lines)-15)
	}
	shown := strings.Join(lines[from:min(from+15, len(lines))], "\n")
	if shown == "" {
		return "; its log " + p.LogFile + " is empty"
	}
	return "; last lines of " + p.LogFile + ":\n" + shown
}
