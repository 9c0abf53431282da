package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	only   []string // names of scenarios
	rounds int
	n      int
	open   int
	full   bool
	keep   bool

	profileDir string
}

// scenario is one entry of the programme.
type scenario struct {
	name string
	what string
	full bool // only with -full, or by name
	run  func(ctx context.Context, r *rig) error
}

// programme is every scenario in the order in which they run.
func programme() []scenario {
	return []scenario{
		{"throughput", "a broadcast without a limit, beside a bare loop over the same client", false, throughput},
		{"cost", "Temporal events and write-ahead log of a recipient", false, cost},
		{"limit", "80 a second through three worker processes for 30 s", false, limit},
		{"storm", "the provider refuses everything for 3 s in mid-broadcast: 429, or 130429", false, storm},
		{"interactive", "an agent writes while a broadcast takes all that the account may send", false, interactive},
		{"multicast", "LINE, 500 recipients a call, without a limit", false, multicast},
		{"intake", "signed status webhooks: verified, stored, merged", false, intake},
		{"peers", "the same sends by River, asynq and plainer uses of Temporal", false, peers},
		{"kill", "kill -9 of the worker in mid-run: ours, River, asynq", false, kill},
		{"growth", "1,000,000 recipients beside 10,000", true, growth},
		{"conversations", "open conversations: to open, to hold, to write in, and timers falling due (with -open)", true, conversations},
		{"profile", "where the time of a broadcast goes (with -profile)", true, profile},
	}
}

// parseOptions reads the flags; a mistake is one line.
func parseOptions(args []string, help io.Writer) (options, error) {
	var o options
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(help)
	f.StringVar(&only, "only", "", "run these scenarios, with commas: "+strings.Join(names(), ", "))
	f.IntVar(&o.rounds, "rounds", 3, "interleaved rounds of each scenario that compares")
	f.IntVar(&o.n, "n", 20000, "recipients of a broadcast")
	f.IntVar(&o.open, "open", 100_000, "open conversations of the scenario conversations")
	f.BoolVar(&o.full, "full", false, "also the scenarios that take many minutes")
	f.BoolVar(&o.keep, "keep", false, "leave the folder of the stack, with its logs, in .local/bench")
	f.StringVar(&o.profileDir, "profile", "", "the folder for what the scenario profile writes")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if o.rounds < 1 || o.n < 1000 {
		return o, errors.New("-rounds is at least 1, -n at least 1000")
	}
	if o.open < 1000 {
		return o, errors.New("-open is at least 1000")
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(names(), name) {
			return o, fmt.Errorf("there is no scenario %q: only %s", name, strings.Join(names(), ", "))
		}
	}
	return o, nil
}

func names() []string {
	var list []string
	for _, s := range programme() {
		list = append(list, s.name)
	}
	return list
}

// wanted are the scenarios that the options ask for.
func (o options) wanted() []scenario {
	var list []scenario
	for _, s := range programme() {
		if slices.Contains(o.only, s.name) || o.only == nil && (o.full || !s.full) {
			list = append(list, s)
		}
	}
	return list
}
