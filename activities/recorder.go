package activities

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

const (
	recordAtMost = 64                    // rows of one statement, but a multicast call is written whole
	recordWithin = 10 * time.Millisecond // a row waits this long for company
)

// recorder gathers the outcomes of one slice and writes them in groups. A
// database that is away is waited for: an outcome that is known must not
// become ambiguous.
type recorder struct {
	ledger Ledger
	teamID uuid.UUID
	in     chan handed
	done   chan struct{}
	open   sync.WaitGroup // outcomes handed over and not written, one each call of add
	log    *slog.Logger
}

// handed is outcomes on their way, and how often add was called for them.
type handed struct {
	records []omniflow.Record
	calls   int
}

// newRecorder starts a recorder; close ends it. After the end of ctx it still
// tries to write for the grace.
func newRecorder(ctx context.Context, ledger Ledger, teamID uuid.UUID, log *slog.Logger, grace time.Duration) *recorder {
	r := &recorder{ledger: ledger, teamID: teamID, in: make(chan handed, 64), done: make(chan struct{}), log: log}
	go r.run(ctx, grace)
	return r
}

// add hands over outcomes.
func (r *recorder) add(records ...omniflow.Record) {
	r.open.Add(1)
	r.in <- handed{records, 1}
}

// flush returns when everything handed over so far is written, or given up.
// Nobody may add meanwhile.
func (r *recorder) flush() { r.open.Wait() }

// close writes what is left and returns when it is written, or when ctx (that
// of newRecorder) has been over for the grace.
func (r *recorder) close() {
	close(r.in)
	<-r.done
}

func (r *recorder) run(ctx context.Context, grace time.Duration) {
	defer close(r.done)
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()
	var next handed // did not fit into the group before
	for {
		group, ok := next, true
		if group.calls == 0 {
			if group, ok = <-r.in; !ok {
				return
			}
		}
		group, next = r.gather(group)
		r.write(detached, group.records)
		r.open.Add(-group.calls)
	}
}

// gather waits a moment for more outcomes to write along. What would make the
// group too large comes back as next.
func (r *recorder) gather(group handed) (_, next handed) {
	timer := time.NewTimer(recordWithin)
	defer timer.Stop()
	for len(group.records) < recordAtMost {
		select {
		case more, ok := <-r.in:
			if !ok {
				return group, handed{}
			}
			if len(group.records)+len(more.records) > recordAtMost {
				return group, more
			}
			group.records, group.calls = append(group.records, more.records...), group.calls+more.calls
		case <-timer.C:
			return group, handed{}
		}
	}
	return group, handed{}
}

// recordGrace is how long after the end of its activity a recorder still
// tries to write. Rows that it could not write stay in sending.
const recordGrace = sendWithin + 5*time.Second

// write tries until the group is written or ctx is over.
// try writes once. A database host that has vanished answers nobody: then the
// next try is made on another connection.
func (r *recorder) try(ctx context.Context, records []omniflow.Record) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	_, err := r.ledger.RecordMessages(ctx, r.teamID, records)
	return err
}

func (r *recorder) write(ctx context.Context, records []omniflow.Record) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := r.try(ctx, records)
		if err == nil {
			return
		}
		r.log.Warn("outcomes not recorded yet", "team_id", r.teamID, "rows", len(records), "error", err)
		if wait(ctx, pause) != nil {
			r.log.Error("outcomes not recorded: the rows are ambiguous now", "team_id", r.teamID, "rows", len(records))
			return
		}
	}
}

// wait pauses for d, or until ctx is over.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
