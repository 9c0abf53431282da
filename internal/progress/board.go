// Package progress draws how a broadcast gets on: one bar a channel on a
// terminal, and plain lines, one a lane every two seconds at most, elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"

	"omniflow/internal/apiclient"
)

// Board shows one broadcast. Its methods may be called from several goroutines.
type Board struct {
	out io.Writer
	now func() time.Time

	mu      sync.Mutex
	bars    *mpb.Progress // nil: lines
	lanes   []*lane       // in the order of their first appearance
	closed  bool
	waiting string // why there were no lanes
}

// New makes a board on out: with bars if terminal, else with lines.
func New(out io.Writer, terminal bool) *Board {
	b := &Board{out: out, now: time.Now}
	if terminal {
		b.bars = mpb.New(mpb.WithOutput(out), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return b
}

// Terminal says whether out is a terminal on which bars can be drawn: not one
// of unknown size, as continuous integration has them.
func Terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	return err == nil && columns >= 60 && rows >= 10
}

// Update shows the state of the broadcast as it is now.
func (b *Board) Update(x apiclient.Broadcast) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	now := b.now()
	for _, l := range x.Lanes {
		b.lane(l).take(l, now)
	}
	if b.bars == nil {
		b.printChanges(now, x.Finished())
	}
	if why := x.Waiting.String(); why != "" && why != b.waiting {
		b.write("  " + why + "\n")
	}
	b.waiting = x.Waiting.String()
}

// lane finds the lane of an account, or adds it.
func (b *Board) lane(l apiclient.Lane) *lane {
	for _, known := range b.lanes {
		if known.id == l.ChannelAccountID {
			return known
		}
	}
	added := newLane(l)
	if b.bars != nil {
		added.draw(b.bars)
	}
	b.lanes = append(b.lanes, added)
	return added
}

// lineEvery is the shortest time between two lines about one lane.
const lineEvery = 2 * time.Second

// printChanges writes the lanes that changed since their last line. The end of
// a lane is written at once.
func (b *Board) printChanges(now time.Time, last bool) {
	for _, l := range b.lanes {
		text := l.line(now)
		if text == l.printed || (!last && !l.done() && now.Sub(l.printedAt) < lineEvery) {
			continue
		}
		l.printed, l.printedAt = text, now
		fmt.Fprintln(b.out, text)
	}
}

// Note writes a line about the broadcast, above the bars if there are any.
func (b *Board) Note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(fmt.Sprintf(format+"\n", args...))
}

// write adds a line; the caller holds the lock.
func (b *Board) write(line string) {
	if b.bars == nil || b.closed {
		fmt.Fprint(b.out, line)
		return
	}
	// The only error is that the bars have ended; the line would be lost.
	if _, err := b.bars.Write([]byte(line)); err != nil {
		fmt.Fprint(b.out, line)
	}
}

// Close leaves the last state on the screen. The board shows nothing any more.
func (b *Board) Close() {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.closed = true
	b.mu.Unlock()
	if b.bars == nil {
		return
	}
	for _, l := range b.lanes {
		l.bar.Abort(false)
	}
	b.bars.Wait()
}
