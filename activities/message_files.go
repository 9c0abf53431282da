package activities

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// preparedFiles are files as a provider finds them.
type preparedFiles map[omniflow.MediaKey]omniflow.Media

// fill puts into contents where the provider finds their files.
func (p preparedFiles) fill(contents []omniflow.Content) {
	for i, c := range contents {
		file, kind := c.File()
		if file == nil {
			continue
		}
		if m, ok := p[omniflow.MediaKey{ID: file.ID, Kind: kind}]; ok {
			contents[i] = c.WithFile(m)
		}
	}
}

// fileAgain is when a file that the provider did not take is handed over again.
const fileAgain = 5 * time.Second

// prepareFiles hands the files of one message to its provider before the
// message is claimed: that may take longer than a call may. Doing it again
// leaves a copy that nobody names. False: the message cannot be sent now, and
// its row says why.
func (a *Activities) prepareFiles(ctx context.Context, ref omniflow.MessageRef) (preparedFiles, bool, error) {
	in, err := a.groups.MessageFiles(ctx, ref)
	if err != nil || len(in.Files) == 0 {
		return nil, true, err
	}
	account, err := a.accounts.Account(ctx, ref.TeamID, in.ChannelAccountID)
	if err != nil {
		return nil, false, err
	}
	out := make(preparedFiles, len(in.Files))
	for _, m := range in.Files {
		handle, err := a.handOver(ctx, in.Channel, account, m)
		if err != nil {
			return nil, false, a.fileFault(ctx, ref, in.Tries+1, err)
		}
		m.Handle = handle
		m.Link, m.Preview = a.files.Links(in.Channel, m)
		out[omniflow.MediaKey{ID: m.ID, Kind: m.Kind}] = m
	}
	return out, true, nil
}

// fileFault ends a message whose file the provider will never take, and lets
// any other wait. A file that cannot be read, which is nobody's answer, costs
// one of the message's five tries: tried counts them, this one included.
func (a *Activities) fileFault(ctx context.Context, ref omniflow.MessageRef, tried int, err error) error {
	var fault *channel.Error
	var refusal *omniflow.Refusal
	switch {
	case errors.As(err, &refusal):
		return a.groups.FailMessage(ctx, ref, refusal.Code)
	case errors.As(err, &fault) && (fault.Fault == channel.Rejected || fault.Fault == channel.Misconfigured):
		return a.groups.FailMessage(ctx, ref, omniflow.MediaRejected)
	case errors.As(err, &fault):
		return a.groups.PostponeMessage(ctx, ref, time.Now().Add(max(fault.RetryAfter, fileAgain)), omniflow.ProviderDown)
	case ctx.Err() != nil:
		return err
	}
	a.log.Warn("a file cannot be read", "team_id", ref.TeamID, "message_id", ref.MessageID, "attempt", tried, "error", err)
	at := time.Now().Add(omniflow.Backoff(tried, rand.Float64()))
	if err := a.groups.MessageTried(ctx, ref, at, omniflow.MediaUnavailable); err != nil || tried < omniflow.MaxAttempts {
		return err
	}
	return a.groups.FailMessage(ctx, ref, omniflow.MediaUnavailable)
}
