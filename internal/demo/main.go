// Demo starts and stops the local stack, and tells the story of one WhatsApp
// group, four conversations and one broadcast on it:
//
//	go run ./internal/demo build  build every program into .local/bin
//	go run ./internal/demo up     start the stack and leave it running
//	go run ./internal/demo down   stop it
//	go run ./internal/demo demo   start it, tell the story, stop it
//
// Environment: DEMO_RECIPIENTS (default 5000), DEMO_SEED (default 1), KEEP=1
// leaves the stack of a demo running; the ports are those of package
// localstack. The last line of a demo begins with "demo: ok" or "demo: FAILED".
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	os.Exit(code)
}

// run does what the one argument says and gives the exit code: 2 for a command
// line that makes no sense.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) int {
	if len(args) != 1 {
		args = []string{""}
	}
	var err error
	switch args[0] {
	case "build":
		err = build(ctx, getenv, out)
	case "up":
		err = up(ctx, getenv, out)
	case "down":
		err = down(ctx, getenv, out)
	case "demo":
		line, ok := demo(ctx, getenv, out)
		fmt.Fprintln(out, line)
		if !ok {
			return 1
		}
	default:
		fmt.Fprintln(out, "usage: go run ./internal/demo build|up|down|demo")
		return 2
	}
	if err != nil {
		fmt.Fprintln(out, args[0]+":", err)
		return 1
	}
	return 0
}
