package activities

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Files gives the files that messages carry.
type Files interface {
	// Read is the whole of a file.
	Read(ctx context.Context, id uuid.UUID) ([]byte, error)
	// Links are the public addresses of a file and of its preview on ch; ""
	// where there are none.
	Links(ch omniflow.Channel, m omniflow.Media) (link, preview string)
}

// Option adds to Activities what not every worker needs.
type Option func(*Activities)

// WithFiles lets broadcasts carry files. Without it their lanes stop with
// media_link_unavailable.
func WithFiles(f Files) Option { return func(a *Activities) { a.files = f } }

// noFiles stands for a worker without a store.
type noFiles struct{}

func (noFiles) Read(context.Context, uuid.UUID) ([]byte, error) {
	return nil, omniflow.Refuse(omniflow.MediaLinkUnavailable, "BRD-06", "this worker has no store of files")
}

func (noFiles) Links(omniflow.Channel, omniflow.Media) (link, preview string) { return "", "" }

// PrepareLaneResult says how many files were handed over, and why a lane was
// stopped if one was refused.
type PrepareLaneResult struct {
	Prepared int           `json:"prepared"`
	Stopped  omniflow.Code `json:"stopped,omitempty"`
}

// PrepareLane hands the files of a lane to its provider, each once a broadcast
// and channel account, before anything of the lane is sent. Running it again
// hands over only what is missing; an upload that was made and not noted is a
// copy that nobody names. A file that the provider refuses stops the lane, with
// every row kept.
func (a *Activities) PrepareLane(ctx context.Context, in LaneInput) (PrepareLaneResult, error) {
	_, due, err := a.ledger.LaneMedia(ctx, in.Lane)
	if err != nil || len(due) == 0 {
		return PrepareLaneResult{}, asTemporal(err)
	}
	account, err := a.accounts.Account(ctx, in.Lane.TeamID, in.Lane.ChannelAccountID)
	if err != nil {
		return PrepareLaneResult{}, asTemporal(err)
	}
	var out PrepareLaneResult
	for _, m := range due {
		handle, err := a.handOver(ctx, in.Lane.Channel, account, m)
		if err != nil {
			out.Stopped, err = a.refusedFile(ctx, in.Lane, m, err)
			return out, err
		}
		if err := a.ledger.MediaReady(ctx, in.Lane, m, handle); err != nil {
			return out, asTemporal(err)
		}
		out.Prepared++
	}
	return out, nil
}

// handOver gives a file to the provider, or sees that it can fetch it.
func (a *Activities) handOver(ctx context.Context, ch omniflow.Channel, account channel.Account, m omniflow.Media) (string, error) {
	uploader, ok := a.senders[ch].(channel.Uploader)
	if !ok {
		if link, _ := a.files.Links(ch, m); link == "" {
			return "", omniflow.Refuse(omniflow.MediaLinkUnavailable, "BRD-06", "no public address is configured")
		}
		return "", nil
	}
	data, err := a.files.Read(ctx, m.ID)
	if err != nil {
		return "", err
	}
	return uploader.Upload(ctx, account, m, data)
}

// refusedFile stops what a refusal is about: the lane, or the account. Any
// other fault is the retry policy's.
func (a *Activities) refusedFile(ctx context.Context, lane omniflow.Lane, m omniflow.Media, err error) (omniflow.Code, error) {
	var fault *channel.Error
	var refusal *omniflow.Refusal
	reason, code := omniflow.MediaRejected, ""
	switch {
	case errors.As(err, &fault) && fault.Fault == channel.Misconfigured && fault.Scope == channel.ScopeAccount:
		_, err = a.ledger.StopAccount(ctx, lane.TeamID, lane.ChannelAccountID, fault.Code)
		a.noteStop(lane, fault.Code)
		return omniflow.AccountStopped, asTemporal(err)
	case errors.As(err, &fault) && (fault.Fault == channel.Rejected || fault.Fault == channel.Misconfigured):
		code = fault.Code
	case errors.As(err, &fault):
		// Only the code: an error's text stays in the run's history (SYS-12).
		return "", temporal.NewApplicationErrorWithOptions(fault.Code, string(fault.Fault), temporal.ApplicationErrorOptions{NextRetryDelay: fault.RetryAfter})
	case errors.As(err, &refusal):
		reason, code = refusal.Code, string(refusal.Code)
	default:
		return "", asTemporal(err)
	}
	if err := a.ledger.MediaRejected(ctx, lane, m, code); err != nil {
		return "", asTemporal(err)
	}
	_, err = a.ledger.StopLane(ctx, lane, reason)
	a.noteStop(lane, string(reason))
	return reason, asTemporal(err)
}

func (a *Activities) noteStop(lane omniflow.Lane, code string) {
	a.meter.Stopped(lane.Channel, code)
	a.log.Error("a file cannot be handed over: the lane waits for an operator", "team_id", lane.TeamID,
		"channel", lane.Channel, "broadcast_id", lane.BroadcastID, "code", code)
}

// locate puts into contents where the lane's provider finds their files. ready
// is false while one of them is not there yet.
func (a *Activities) locate(ctx context.Context, lane omniflow.Lane, contents map[uuid.UUID][]omniflow.Content) (ready bool, err error) {
	files, due, err := a.ledger.LaneMedia(ctx, lane)
	if err != nil || len(due) > 0 {
		return false, err
	}
	known := make(map[omniflow.MediaKey]omniflow.Media, len(files))
	for _, m := range files {
		m.Link, m.Preview = a.files.Links(lane.Channel, m)
		known[omniflow.MediaKey{ID: m.ID, Kind: m.Kind}] = m
	}
	for _, list := range contents {
		for i, c := range list {
			file, kind := c.File()
			if file == nil {
				continue
			}
			m, ok := known[omniflow.MediaKey{ID: file.ID, Kind: kind}]
			if !ok {
				return false, nil
			}
			list[i] = c.WithFile(m)
		}
	}
	return true, nil
}

// hasFiles says whether any of contents carries a file.
func hasFiles(contents map[uuid.UUID][]omniflow.Content) bool {
	for _, list := range contents {
		if len(omniflow.MediaOf(list)) > 0 {
			return true
		}
	}
	return false
}

// isPersonal says whether any of contents is different for every recipient.
func isPersonal(contents map[uuid.UUID][]omniflow.Content) bool {
	for _, list := range contents {
		if omniflow.PersonalContents(list) {
			return true
		}
	}
	return false
}
