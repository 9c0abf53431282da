// Bench measures omniflow against its budgets (design section 12), beside a
// bare loop and its peers, on the machine at hand:
//
//	go run ./internal/bench                         the scenarios of `make bench`
//	go run ./internal/bench -only throughput,cost   some of them
//	go run ./internal/bench -rounds 5 -n 50000      longer
//
// It builds the programs, starts a stack of its own on free ports, prints one
// table and writes bench.json into the project's root. What was sent is counted
// by the receiving end (package sink, or the simulator), never by the sender.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the whole program; as `bench sink ADDRESS` it is the sink process.
func run(ctx context.Context, args []string, out *os.File) error {
	if len(args) == 2 && args[0] == sinkCommand {
		return serveSink(ctx, args[1])
	}
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		return err
	}
	return bench(ctx, o, out)
}
