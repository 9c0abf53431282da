package omniflow

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// InboundFile is a file that a customer sent, claimed for fetching.
type InboundFile struct {
	MessageID        uuid.UUID // of the customer's message
	Part             int       // its place among the files of the message, from 0
	TeamID           uuid.UUID
	ChannelAccountID uuid.UUID
	Channel          Channel
	Handle           string // the provider's media id or link
	Name             string // as the customer called it, or ""
	Tries            int    // claims so far, this one included
	BornAt           time.Time
}

// MediaID is the id under which the file is kept: the same on every attempt,
// so that a repeated one leaves no second copy.
func (f InboundFile) MediaID() uuid.UUID {
	return uuid.NewSHA1(f.MessageID, []byte("file "+strconv.Itoa(f.Part)))
}

// InboundMediaState is where a customer's file stands.
type InboundMediaState string

// The states of a customer's file. Unavailable: the provider does not give it,
// or no more. Rejected: it gave what is not kept.
const (
	MediaPending     InboundMediaState = "pending"
	MediaStored      InboundMediaState = "stored"
	MediaLost        InboundMediaState = "unavailable"
	MediaNotAccepted InboundMediaState = "rejected"
)

// InboundMedia is a file of a customer's message as the console shows it.
type InboundMedia struct {
	ID    *uuid.UUID        `json:"id" doc:"Of GET /v1/media/{id}, once it is stored."`
	Kind  string            `json:"kind" doc:"As the message called it: image, video, audio, file or sticker."`
	MIME  string            `json:"mime" doc:"Of the stored file."`
	Name  string            `json:"name" doc:"As the customer called it, where the channel tells."`
	State InboundMediaState `json:"state" doc:"pending, stored, unavailable (the provider does not give it, or no more) or rejected (it gave what is not kept)"`
	Code  Code              `json:"code" doc:"Why it is not stored, or not yet."`
}

// InboundFileResult is what became of an attempt.
type InboundFileResult struct {
	State InboundMediaState
	Code  Code      // why not stored
	Media *Media    // stored
	DueAt time.Time // pending: not before
}

const (
	inboundTries = 12                 // the last is made about three hours after the first
	inboundLife  = 7 * 24 * time.Hour // no provider keeps a customer's file longer (channels/whatsapp.md section 2.8)
)

// RetryInboundFile says when a file is asked for again after an attempt that
// told nothing final: 5, 10, 20 s and so on, an hour at most, and never sooner
// than the provider asks; false after 12 attempts or seven days. counts is
// false where the attempt says nothing of the file: then only its age ends it.
func RetryInboundFile(f InboundFile, counts bool, after time.Duration, now time.Time) (time.Time, bool) {
	if counts && f.Tries >= inboundTries || now.Sub(f.BornAt) > inboundLife {
		return time.Time{}, false
	}
	pause := min(5*time.Second<<min(max(f.Tries-1, 0), 12), time.Hour)
	if !counts {
		pause = 10 * time.Minute
	}
	return now.Add(max(pause, after)), true
}
