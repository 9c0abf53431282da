package activities

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const (
	filesAtOnce = 4               // customers' files of one round, fetched side by side
	fetchWithin = 4 * time.Minute // one file with its bytes
	fileLease   = 5 * time.Minute // after this a file whose worker died is taken again
	noteWithin  = 10 * time.Second
)

// InboundFiles is where the files of customers are noted.
type InboundFiles interface {
	// ClaimInboundMedia takes up to n files that are due, for the time of lease.
	ClaimInboundMedia(ctx context.Context, n int, lease time.Duration) ([]omniflow.InboundFile, error)
	// FinishInboundMedia notes what became of a file; false: it is another's by now.
	FinishInboundMedia(ctx context.Context, f omniflow.InboundFile, r omniflow.InboundFileResult) (bool, error)
}

// FileKeeper keeps the bytes of files.
type FileKeeper interface {
	// Keep stores what r gives under id and says what it is, without holding
	// it in memory. Errors: *omniflow.Refusal for what is not kept.
	Keep(ctx context.Context, id uuid.UUID, name string, r io.Reader) (omniflow.Media, error)
}

// inboundFiles fetches the files of customers.
type inboundFiles struct {
	noted InboundFiles
	kept  FileKeeper
}

// WithInboundFiles lets FetchInboundMedia fetch. Without it the files of
// customers stay where they are.
func WithInboundFiles(noted InboundFiles, kept FileKeeper) Option {
	return func(a *Activities) { a.inbound = &inboundFiles{noted: noted, kept: kept} }
}

// FetchInboundMedia fetches the files of customers that are due, and returns
// how many it took. Whoever dies in between leaves them to the next, who keeps
// them under the same ids: nothing is kept twice. A file's fault is noted with
// it and is no error here.
func (a *Activities) FetchInboundMedia(ctx context.Context) (int, error) {
	if a.inbound == nil {
		return 0, nil
	}
	files, err := a.inbound.noted.ClaimInboundMedia(ctx, filesAtOnce, fileLease)
	if err != nil {
		return 0, asTemporal(err)
	}
	var all sync.WaitGroup
	for _, f := range files {
		all.Go(func() { a.fetchInbound(ctx, f) })
	}
	all.Wait()
	return len(files), nil
}

// fetchInbound fetches one file and notes what became of it. What cannot be
// noted is claimed again when its lease is over.
func (a *Activities) fetchInbound(ctx context.Context, f omniflow.InboundFile) {
	call, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	m, err := a.keepInbound(call, f)
	r := a.fileResult(f, m, err)
	note, done := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer done()
	if _, err := a.inbound.noted.FinishInboundMedia(note, f, r); err != nil {
		a.log.Warn("what became of a customer's file is not noted", "team_id", f.TeamID, "channel", f.Channel, "message_id", f.MessageID, "error", err)
	}
	if r.State != omniflow.MediaStored {
		a.log.Info("a customer's file is not kept", "team_id", f.TeamID, "channel", f.Channel, "message_id", f.MessageID,
			"attempt", f.Tries, "state", r.State, "code", r.Code)
	}
}

func (a *Activities) keepInbound(ctx context.Context, f omniflow.InboundFile) (omniflow.Media, error) {
	fetcher, ok := a.senders[f.Channel].(channel.Fetcher)
	if !ok {
		return omniflow.Media{}, channel.Gone("no_fetcher", 0)
	}
	account, err := a.accounts.Account(ctx, f.TeamID, f.ChannelAccountID)
	if err != nil {
		return omniflow.Media{}, err
	}
	file, err := fetcher.Fetch(ctx, account, f.Handle)
	if err != nil {
		return omniflow.Media{}, err
	}
	defer func() { _ = file.Body.Close() }()
	if file.Bytes > omniflow.MaxMediaBytes {
		return omniflow.Media{}, tooLargeFile()
	}
	return a.inbound.kept.Keep(ctx, f.MediaID(), f.Name, file.Body)
}

func tooLargeFile() *omniflow.Refusal {
	return omniflow.Refuse(omniflow.MediaTooLarge, "D-FIL-3", "a file has at most %d MB", omniflow.MaxMediaBytes/omniflow.MB)
}

// fileResult is what an attempt means for its file.
func (a *Activities) fileResult(f omniflow.InboundFile, m omniflow.Media, err error) omniflow.InboundFileResult {
	var fault *channel.Error
	var refusal *omniflow.Refusal
	counts, after, code := true, time.Duration(0), omniflow.ProviderDown
	switch {
	case err == nil:
		return omniflow.InboundFileResult{State: omniflow.MediaStored, Media: &m}
	case errors.As(err, &fault) && fault.Fault == channel.Rejected:
		return omniflow.InboundFileResult{State: omniflow.MediaLost, Code: fault.Reason}
	case errors.As(err, &refusal):
		code := refusal.Code
		if code == omniflow.BodyTooLarge {
			code = omniflow.MediaTooLarge
		}
		return omniflow.InboundFileResult{State: omniflow.MediaNotAccepted, Code: code}
	case errors.As(err, &fault):
		counts, after, code = fault.Fault != channel.Misconfigured, fault.RetryAfter, fault.Reason
	}
	due, again := omniflow.RetryInboundFile(f, counts, after, time.Now())
	if !again {
		return omniflow.InboundFileResult{State: omniflow.MediaLost, Code: omniflow.RetriesExhausted}
	}
	return omniflow.InboundFileResult{State: omniflow.MediaPending, Code: code, DueAt: due}
}
