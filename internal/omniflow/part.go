package omniflow

import (
	"slices"

	"github.com/google/uuid"
)

const (
	// MaxLINEContents is how many contents LINE takes in one call.
	MaxLINEContents = 5
	// MaxParts is the most provider calls a broadcast makes for one recipient:
	// every message a saved reply of the most contents.
	MaxParts = MaxBroadcastMessages * MaxSavedReplyContents
)

// Expand puts the contents of saved replies in their place, in order.
func Expand(messages []Content) []Content {
	var out []Content
	for _, m := range messages {
		if m.Kind == SavedReply {
			out = append(out, m.Contents...)
			continue
		}
		out = append(out, m)
	}
	return out
}

// PartsOf splits a broadcast's messages into provider calls: LINE takes up to
// five contents in one call (and counts them once against its quota), the
// others one.
func PartsOf(ch Channel, messages []Content) [][]Content {
	size := 1
	if ch == LINE {
		size = MaxLINEContents
	}
	return slices.Collect(slices.Chunk(Expand(messages), size))
}

// PersonalContents says whether any text, caption or template parameter of
// contents holds the name variable: then every recipient gets something else.
func PersonalContents(contents []Content) bool {
	return slices.ContainsFunc(contents, Content.personal)
}

func (c Content) personal() bool {
	return Personal(c.Text) || c.Template != nil && slices.ContainsFunc(c.Template.Params, Personal)
}

// FillContents is contents with name in place of the name variable (VAR-01).
// Contents without it come back as they are.
func FillContents(contents []Content, name string) []Content {
	if !PersonalContents(contents) {
		return contents
	}
	out := slices.Clone(contents)
	for i, c := range out {
		out[i].Text = FillName(c.Text, name)
		if c.Template == nil {
			continue
		}
		t := *c.Template
		t.Params = slices.Clone(t.Params)
		for n, p := range t.Params {
			t.Params[n] = FillName(p, name)
		}
		out[i].Template = &t
	}
	return out
}

// MediaKey names a file as it is sent: an image may go as a file.
type MediaKey struct {
	ID   uuid.UUID
	Kind MessageKind
}

// MediaOf lists the files that contents carry, each once as each kind it is
// sent as, in order. Kind is that one.
func MediaOf(contents []Content) []Media {
	var out []Media
	seen := map[MediaKey]bool{}
	for _, c := range Expand(contents) {
		file, kind := c.File()
		if file == nil || seen[MediaKey{file.ID, kind}] {
			continue
		}
		seen[MediaKey{file.ID, kind}] = true
		m := *file
		m.Kind = kind
		out = append(out, m)
	}
	return out
}
