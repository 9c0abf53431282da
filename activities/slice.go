package activities

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const (
	sliceBudget   = time.Minute      // an attempt hands its slice back after this
	groupAtMost   = 64               // rows of one claim
	inFlight      = 128              // rows of one slice at the provider at once
	chunksAtOnce  = 8                // multicast calls of one slice at the provider at once
	patience      = 10 * time.Second // how long a slice waits for a row that backs off
	heartbeatEach = time.Second
)

// SendSliceResult says why a slice came back.
type SendSliceResult struct {
	Done    bool          `json:"done"`              // nothing of it is queued or sending any more
	Held    omniflow.Code `json:"held,omitempty"`    // why it may not go on
	NextDue time.Time     `json:"next_due,omitzero"` // when a row that backs off is due
	More    bool          `json:"more,omitempty"`    // rows are due now: only the attempt's time was over
}

// SendSlice sends the due rows of one slice under the account's limits and
// records every outcome. It comes back when nothing is due, when it is held,
// or after a minute. Running it again, or twice at once, sends nothing twice:
// the newer attempt has the newer fence, and what the older left in sending is
// ambiguous, never fresh.
func (a *Activities) SendSlice(ctx context.Context, sl omniflow.Slice) (SendSliceResult, error) {
	run, err := a.openSlice(ctx, sl)
	if errors.Is(err, errNotReady) {
		return SendSliceResult{Held: omniflow.MediaNotReady}, nil
	}
	if err != nil {
		return SendSliceResult{}, asTemporal(err)
	}
	stopBeating := run.heartbeat(ctx)
	defer stopBeating()
	stopLooking := every(ctx, beatEach, func() { run.beat(ctx) })
	held, err := run.send(ctx)
	run.recorder.close()
	stopLooking()
	run.beat(ctx) // what it did last counts too
	if err != nil && !errors.Is(err, errBudget) {
		return SendSliceResult{}, asTemporal(err)
	}
	if held == omniflow.FenceLost {
		return SendSliceResult{}, temporal.NewApplicationError("another attempt has this slice", string(held))
	}
	st, err := a.ledger.SliceStatus(ctx, sl)
	if err != nil {
		return SendSliceResult{}, asTemporal(err)
	}
	return SendSliceResult{Done: st.Due+st.Waiting+st.Sending == 0, Held: held, NextDue: st.NextDue, More: st.Due > 0}, nil
}

// sliceRun is one attempt at one slice.
type sliceRun struct {
	*Activities
	slice    omniflow.Slice
	job      omniflow.BroadcastJob
	account  channel.Account
	sender   channel.Sender
	contents map[uuid.UUID][]omniflow.Content
	limiter  omniflow.LimiterName
	push     bool // LINE: a call and a retry key a row
	fence    int
	closed   bool // outside the hours of the broadcast: what is under way is finished, nothing begun
	recorder *recorder
	room     *room
	crew     chan handover // to those who wait for a row to send; see hand
	singly   atomic.Int64  // LINE: rows still to be sent one by one, after a chunk was refused
}

// openSlice loads what the slice needs and takes its fence.
func (a *Activities) openSlice(ctx context.Context, sl omniflow.Slice) (*sliceRun, error) {
	r := &sliceRun{Activities: a, slice: sl, sender: a.senders[sl.Channel], limiter: omniflow.MessagesLimiter,
		room: newRoom(inFlight), crew: make(chan handover)}
	if r.sender == nil {
		return nil, omniflow.Refuse(omniflow.BroadcastChannelUnsupported, "BRD-03", "no sender for channel %s", sl.Channel)
	}
	var err error
	if r.job, err = a.ledger.BroadcastJob(ctx, sl.TeamID, sl.BroadcastID); err != nil {
		return nil, err
	}
	r.closed = r.job.Request.Hours.OpensAt(time.Now()) != nil
	if r.account, err = a.accounts.Account(ctx, sl.TeamID, sl.ChannelAccountID); err != nil {
		return nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	var ambiguous int
	if r.fence, ambiguous, err = a.ledger.TakeSlice(ctx, sl, r.job.ReconcileAfter); err != nil {
		return nil, err
	}
	if ambiguous > 0 {
		a.log.Warn("an earlier attempt left messages with unknown outcome", "team_id", sl.TeamID, "channel", sl.Channel,
			"broadcast_id", sl.BroadcastID, "messages", ambiguous)
	}
	r.recorder = newRecorder(ctx, a.ledger, sl.TeamID, a.log, recordGrace)
	return r, nil
}

// errNotReady says that a lane's files are not at its provider: PrepareLane
// comes first.
var errNotReady = errors.New("the lane's files are not at the provider")

// load reads what is sent. What is the same for everybody goes to LINE by
// multicast; what is not goes by push, a call a recipient.
func (r *sliceRun) load(ctx context.Context) (err error) {
	if r.contents, err = r.ledger.Contents(ctx, r.slice); err != nil {
		return err
	}
	if hasFiles(r.contents) {
		if ready, err := r.locate(ctx, r.slice.Lane, r.contents); err != nil || !ready {
			return cmp.Or(err, errNotReady)
		}
	}
	_, multicast := r.sender.(channel.Multicaster)
	r.push = multicast && isPersonal(r.contents)
	if multicast && !r.push {
		r.limiter, r.room = omniflow.MulticastLimiter, newRoom(chunksAtOnce*groupAtMost)
	}
	return nil
}

// send claims and sends until nothing is due, and waits for what is under way.
func (r *sliceRun) send(ctx context.Context) (omniflow.Code, error) {
	defer close(r.crew)
	defer r.room.empty()
	taking, stopTaking := r.untilBudget(ctx)
	defer stopTaking()
	cursor := r.slice.From
	for {
		claimed, err := r.claim(ctx, taking, cursor)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case taking.Err() != nil:
			return "", context.Cause(taking)
		case err != nil || claimed.Held != "":
			return claimed.Held, err
		case len(claimed.Messages) > 0 && claimed.Messages[0].Again:
			cursor = r.slice.From // there may be more that was perhaps taken: before anything fresh
		case claimed.Last >= 0:
			cursor = claimed.Last + 1
		case cursor > r.slice.From:
			cursor = r.slice.From // a pass is over: rows that backed off, and next messages, are behind us
		default:
			if more, err := r.moreSoon(ctx); err != nil || !more {
				return "", err
			}
		}
	}
}

// errBudget ends an attempt whose time is over; it is no fault.
var errBudget = errors.New("the time of this attempt is over")

// untilBudget is ctx until the attempt's time or the hours of the broadcast are
// over or the worker stops: nobody waits for a slot longer than that.
func (r *sliceRun) untilBudget(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	left := sliceBudget
	if !r.closed {
		left = r.job.Request.Hours.Left(time.Now(), sliceBudget)
	}
	timer := time.AfterFunc(left, func() { cancel(errBudget) })
	go func() {
		select {
		case <-r.stopping:
			cancel(temporal.NewApplicationError("the worker is stopping; the slice goes on elsewhere", "worker_stopping"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// claim takes rows for the slots that are due and hands them to their senders.
func (r *sliceRun) claim(ctx, taking context.Context, cursor int) (omniflow.Claimed, error) {
	c := omniflow.Claim{Slice: r.slice, Fence: r.fence, Cursor: cursor, Max: groupAtMost, Push: r.push, Finish: r.closed,
		ActorID: r.job.ActorID, Bound: r.job.Request.Audience.Bound}
	window := omniflow.WindowOfBroadcast(r.job.Request.Kind, r.slice.Channel)
	c.Window, c.WindowCode = window.Max, window.Code
	multicast := r.limiter == omniflow.MulticastLimiter
	most := groupAtMost
	if multicast {
		most = 1
	}
	if err := r.room.enter(ctx, groupAtMost); err != nil {
		return omniflow.Claimed{}, err
	}
	slots, err := r.pacer.Take(taking, r.account.ID, r.limiter, most)
	if err != nil {
		r.room.leave(groupAtMost)
		return omniflow.Claimed{}, err
	}
	c.Max = slots
	if multicast {
		c.RetryKey, c.Max = uuid.Must(uuid.NewV7()), channel.MulticastMax
		if r.singly.Load() > 0 {
			c.Max = 1
		}
	}
	at := time.Now()
	claimed, err := r.ledger.ClaimMessages(ctx, c)
	if err != nil {
		r.room.leave(groupAtMost)
		return claimed, err
	}
	r.dispatch(ctx, claimed.Messages, at, slots, multicast)
	return claimed, nil
}

// dispatch sends rows claimed at the given time in the background and gives
// back what they do not use: slots, and room.
func (r *sliceRun) dispatch(ctx context.Context, messages []omniflow.ClaimedMessage, at time.Time, slots int, multicast bool) {
	if multicast {
		if len(messages) == 0 {
			r.pacer.Return(r.account.ID, r.limiter, slots)
			r.room.leave(groupAtMost)
			return
		}
		if r.singly.Load() > 0 {
			r.singly.Add(-1)
		}
		go func() {
			defer r.room.leave(groupAtMost)
			r.sendChunk(ctx, messages, at)
		}()
		return
	}
	r.pacer.Return(r.account.ID, r.limiter, slots-len(messages))
	r.room.leave(groupAtMost - len(messages))
	g := newGroup(ctx, at, len(messages))
	for _, m := range messages {
		r.hand(handover{m, g})
	}
}

// moreSoon says whether the slice will have something to claim within its
// patience, after waiting for it. It is asked only when nothing is due.
func (r *sliceRun) moreSoon(ctx context.Context) (bool, error) {
	r.room.empty()
	r.recorder.flush()
	st, err := r.ledger.SliceStatus(ctx, r.slice)
	if err != nil || st.Due+st.Sending > 0 {
		// What is in sending still was claimed by an earlier attempt, late.
		return err == nil, errors.Join(err, wait(ctx, recordWithin))
	}
	pause := time.Until(st.NextDue)
	if st.NextDue.IsZero() || pause > patience {
		return false, nil
	}
	select {
	case <-r.stopping:
		return true, nil
	case <-time.After(max(pause, recordWithin)):
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// heartbeat tells the engine every second that this attempt lives.
func (r *sliceRun) heartbeat(ctx context.Context) (stop func()) {
	ticker, done := time.NewTicker(heartbeatEach), make(chan struct{})
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			case <-done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { close(done) }
}
