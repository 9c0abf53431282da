package omniflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// BroadcastKind is the kind of a broadcast (BRD-03).
type BroadcastKind string

// The kinds: messages to the four channels, or one WABA's templates to WhatsApp.
const (
	BroadcastMessage  BroadcastKind = "broadcast_message"
	BroadcastTemplate BroadcastKind = "broadcast_template"
)

// Client is the program in which a broadcast was made: what it may hold
// depends on it (BRD-06, BRD-07).
type Client string

// The clients of a broadcast.
const (
	Web Client = "web"
	App Client = "app"
)

// BroadcastState is how far a broadcast is.
type BroadcastState string

// The states of a broadcast, in their order.
const (
	BroadcastAccepted BroadcastState = "accepted" // stored, its workflow not begun
	BroadcastPlanning BroadcastState = "planning" // freezing the audience into rows
	BroadcastRunning  BroadcastState = "running"
	BroadcastSettling BroadcastState = "settling" // sent; outcomes still unknown are being proven
	BroadcastDone     BroadcastState = "finished"
)

// Outcome is how a job ended (section 29).
type Outcome string

// The outcomes that every job has.
const (
	Completed             Outcome = "completed"
	CompletedWithFailures Outcome = "completed_with_failures"
	OutcomeCancelled      Outcome = "cancelled"
	OutcomeRejected       Outcome = "rejected"
)

// Audience selects recipients among the conversations of the actor's "my
// handling" (BRD-02, BRD-04): all of them, those that every filter given lets
// through, or exactly the ones named. Bound selects among the customers bound
// to the actor instead, on one channel and whatever their conversation's state
// (BRD-11, D-BRD-4).
type Audience struct {
	All             bool        `json:"all,omitempty"`
	Bound           bool        `json:"bound,omitempty" doc:"The customers bound to me, on LINE or on WhatsApp."`
	Channel         Channel     `json:"channel,omitempty" doc:"The one channel of a broadcast to bound customers."`
	Channels        []Channel   `json:"channels,omitempty"`
	Tags            []string    `json:"tags,omitempty"`   // any of them
	Stores          []string    `json:"stores,omitempty"` // any of them
	ConversationIDs []uuid.UUID `json:"conversation_ids,omitempty"`
}

// BroadcastRequest is what a member asks for.
type BroadcastRequest struct {
	Kind     BroadcastKind `json:"kind" enum:"broadcast_message,broadcast_template"`
	Client   Client        `json:"client,omitempty" enum:"web,app"` // "" is web
	Name     string        `json:"name,omitempty"`
	Audience Audience      `json:"audience"`
	Messages []Content     `json:"messages"`

	StartAt            *time.Time `json:"start_at,omitempty" doc:"When to start; at once without it."`
	LateAfterSeconds   int        `json:"late_after_seconds,omitempty" minimum:"1" maximum:"2592000" doc:"A start that is later than this waits for an approval; 900 without it."`
	StopFailurePercent int        `json:"stop_failure_percent,omitempty" minimum:"1" maximum:"100" doc:"A lane stops when more than this of its last 500 outcomes failed; the team's setting without it, 100 is never."`
	Hours              *Hours     `json:"hours,omitempty" doc:"When of the day it may send; at any time without it."`
}

// Validate checks what can be checked without knowing the recipients. The
// refusal is the first of: input_invalid, broadcast_message_count,
// message_empty, template_invalid, broadcast_content_unsupported,
// broadcast_empty, channel_unknown, broadcast_channel_unsupported.
func (r BroadcastRequest) Validate() *Refusal {
	if r.Kind != BroadcastMessage && r.Kind != BroadcastTemplate {
		return Refuse(InvalidInput, "BRD-03", "the kind must be broadcast_message or broadcast_template")
	}
	if r.Client != "" && r.Client != Web && r.Client != App {
		return Refuse(InvalidInput, "BRD-04", "the client must be web or app")
	}
	if n := len(r.Messages); n < 1 || n > MaxBroadcastMessages {
		return Refuse(BroadcastMessageCount, "BRD-05", "a broadcast has 1 to %d messages, not %d", MaxBroadcastMessages, n)
	}
	for i, m := range r.Messages {
		if refusal := m.checkIn(r.Kind); refusal != nil {
			refusal.Detail = fmt.Sprintf("message %d: %s", i+1, refusal.Detail)
			return refusal
		}
	}
	return r.Audience.validate(r.Kind)
}

// checkIn says whether a broadcast of kind may hold c at all.
func (c Content) checkIn(kind BroadcastKind) *Refusal {
	switch {
	case kind == BroadcastTemplate && c.Kind != TemplateKind:
		return Refuse(TemplateInvalid, "BRD-09", "a template broadcast holds templates only")
	case kind == BroadcastMessage && c.Kind == TemplateKind:
		return Refuse(BroadcastContentUnsupported, "BRD-03", "a template goes by broadcast_template")
	}
	return c.Check()
}

// Only lists the channels that a names, by either member; none means any.
func (a Audience) Only() []Channel {
	if a.Channel == "" || slices.Contains(a.Channels, a.Channel) {
		return a.Channels
	}
	return append(slices.Clone(a.Channels), a.Channel)
}

func (a Audience) validate(kind BroadcastKind) *Refusal {
	if a.Bound {
		return a.validateBound(kind)
	}
	filtered := len(a.Channels)+len(a.Tags)+len(a.Stores) > 0
	named := len(a.ConversationIDs) > 0
	switch {
	case a.Channel != "":
		return Refuse(InvalidInput, "BRD-11", "channel belongs to an audience of bound customers; channels is a filter")
	case !a.All && !filtered && !named:
		return Refuse(BroadcastEmpty, "BRD-04", "the audience selects nobody: ask for all, give a filter, or name conversations")
	case named && (a.All || filtered):
		return Refuse(InvalidInput, "BRD-04", "an audience either names conversations or selects by all and filters, not both")
	}
	for _, ch := range a.Channels {
		if refusal := checkBroadcastChannel(ch, kind); refusal != nil {
			return refusal
		}
	}
	return nil
}

// validateBound checks an audience of bound customers as far as it can be
// without them: CheckBoundAudience does the rest.
func (a Audience) validateBound(kind BroadcastKind) *Refusal {
	if a.All {
		return Refuse(InvalidInput, "BRD-11", "all means everybody in my handling; bound customers are selected by bound")
	}
	only := a.Only()
	for _, ch := range only {
		if refusal := checkBroadcastChannel(ch, kind); refusal != nil {
			return refusal
		}
		if ch != LINE && ch != WhatsApp {
			return unsupportedChannels(ch)
		}
	}
	if len(only) > 1 {
		return crossChannel(only)
	}
	return nil
}

func crossChannel(used []Channel) *Refusal {
	r := Refuse(BroadcastCrossChannel, "BRD-11", "a broadcast to bound customers goes to one channel, not to %v", used)
	r.Channels = used
	return r
}

func checkBroadcastChannel(ch Channel, kind BroadcastKind) *Refusal {
	switch {
	case ch == Webchat, ch == WeChat:
		return unsupportedChannels(ch)
	case !slices.Contains(BroadcastChannels[:], ch):
		return Refuse(ChannelUnknown, "BRD-03", "a channel must be one of %v", BroadcastChannels)
	case kind == BroadcastTemplate && ch != WhatsApp:
		return templateElsewhere(ch)
	}
	return nil
}

func unsupportedChannels(chs ...Channel) *Refusal {
	r := Refuse(BroadcastChannelUnsupported, "BRD-03", "a broadcast cannot go to %v", chs)
	r.Channels = chs
	return r
}

func templateElsewhere(chs ...Channel) *Refusal {
	r := Refuse(TemplateInvalid, "BRD-03", "templates go to WhatsApp only, not to %v", chs)
	r.Channels = chs
	return r
}
