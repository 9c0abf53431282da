package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// maxProviderID bounds an id of a provider, in bytes: an index holds no longer
// one, and no provider has one.
const maxProviderID = 1000

// heardMessage is one customer message of a batch on its way into the database.
type heardMessage struct {
	omniflow.CustomerMessage
	ID           uuid.UUID
	Conversation uuid.UUID // zero: not found
	Blocked      bool
	Repeated     bool
	Hit          omniflow.KeywordHit
	Left         omniflow.Talk // the conversation as the message left it
}

// heardTalk is one conversation of a batch, held by the transaction, as it was and
// as it becomes.
type heardTalk struct {
	omniflow.Talk
	ID         uuid.UUID
	TeamID     uuid.UUID
	Channel    omniflow.Channel
	Name       string // of the contact
	Was        omniflow.Talk
	ArmedUntil time.Time // zero: no run is promised
	Heard      int
	Replies    []conversationMessage
	Opening    omniflow.ConversationTurn // with which its run begins; zero: with a look
}

// heardBatch is what customers wrote, while it is stored.
type heardBatch struct {
	messages []*heardMessage
	strange  []*heardMessage // their sender has no conversation yet
	held     map[uuid.UUID]bool
	talks    map[uuid.UUID]*heardTalk
	order    []uuid.UUID // of talks
	now      time.Time
	log      []logEntry
	dead     []omniflow.DeadLetter
	blocked  int
}

// store stores what customers wrote, each message once by the provider's id, and
// moves their conversations, which are held, by the tables of section 2. A
// repeated webhook changes nothing. It returns how many were stored.
//
// What happens is computed in Go, and each kind of row is written by one
// statement.
func (b *heardBatch) store(ctx context.Context, tx pgx.Tx) (int, error) {
	for _, step := range []func(context.Context, pgx.Tx) error{b.findGroups, b.read, b.dropRepeated, b.readTexts} {
		if len(b.messages) == 0 {
			break
		}
		if err := step(ctx, tx); err != nil {
			return 0, err
		}
	}
	for _, m := range b.messages {
		b.hear(m)
	}
	if len(b.order) == 0 {
		return 0, nil
	}
	return len(b.messages), b.write(ctx, tx)
}

// newHeardBatch keeps one of each message, in the order in which they were
// written, as the database can hold them.
func newHeardBatch(messages []omniflow.CustomerMessage) *heardBatch {
	type key struct {
		account  uuid.UUID
		provider string
	}
	seen := make(map[key]bool, len(messages))
	b := &heardBatch{held: map[uuid.UUID]bool{}, talks: map[uuid.UUID]*heardTalk{}}
	for _, m := range messages {
		m.Sender, m.GroupID, m.ProviderID = storable(m.Sender), storable(m.GroupID), storable(m.ProviderID)
		m.Kind, m.Text, m.QuotedID = storable(m.Kind), storable(m.Text), storable(m.QuotedID)
		if m.Sender == "" || m.ProviderID == "" || max(len(m.Sender), len(m.ProviderID), len(m.GroupID)) > maxProviderID {
			b.bury(m, omniflow.EnvelopeInvalid)
			continue
		}
		if k := (key{m.ChannelAccountID, m.ProviderID}); !seen[k] {
			seen[k] = true
			b.messages = append(b.messages, &heardMessage{CustomerMessage: m, ID: newID()})
		}
	}
	slices.SortStableFunc(b.messages, func(x, y *heardMessage) int { return x.At.Compare(y.At) })
	return b
}

func (b *heardBatch) bury(m omniflow.CustomerMessage, reason omniflow.Code) {
	b.dead = append(b.dead, omniflow.DeadLetter{TeamID: m.TeamID, Channel: m.Channel, ChannelAccountID: m.ChannelAccountID, Reason: reason, Event: m.Raw})
}

// keep leaves out the messages that f does not want.
func (b *heardBatch) keep(f func(*heardMessage) bool) {
	b.messages = slices.DeleteFunc(b.messages, func(m *heardMessage) bool { return !f(m) })
}

// hear applies one message to its conversation.
func (b *heardBatch) hear(m *heardMessage) {
	t := b.talks[m.Conversation]
	m.At = omniflow.Written(m.At, b.now)
	written := m.Text != "" && (m.Kind == "text" || m.Received == "") // else a caption, or a title
	if m.Received == "" {
		m.Received = omniflow.ReceivedMedia
		if written {
			m.Received = m.Hit.Received()
		}
	}
	was := t.Talk
	t.Talk = was.Hear(m.Received, m.Hit.AssignTo, m.At, b.now)
	t.Heard++
	m.Left = t.Talk
	if t.State != was.State {
		b.log = append(b.log, heardEntry(t, was, m))
	}
	if reply := m.Hit.Reply; reply != nil && written && omniflow.AutoReplies(t.State, reply.States) && m.answerable(t.Type, b.now) {
		t.Replies = append(t.Replies, conversationMessage{ID: newID(), TeamID: t.TeamID, ConversationID: t.ID, Origin: omniflow.OriginAutoReply,
			Contents: []omniflow.Content{{Kind: omniflow.Text, Text: omniflow.FillName(reply.Reply, t.Name)}}})
	}
}

// answerable says whether an automatic reply may still go out: not to what was
// written days ago.
func (m *heardMessage) answerable(typ omniflow.ConversationType, now time.Time) bool {
	return typ == omniflow.OneToOne && now.Sub(m.At) <= omniflow.ServiceWindow &&
		omniflow.CheckWindow(m.Channel, typ, omniflow.Text, false, &m.At, now) == nil
}

// keywordAssignment is the event of a message that a keyword assigned (CNV-18).
const keywordAssignment = "keyword_assignment"

// heardEntry is the entry of the state log of a transition that a message made
// (CNV-19).
func heardEntry(t *heardTalk, was omniflow.Talk, m *heardMessage) logEntry {
	e := logEntry{TeamID: t.TeamID, ConversationID: t.ID, ActionID: m.ID, Event: "customer_message",
		Detail: map[string]any{"from": was.State, "to": t.State, "received": m.Received}}
	if t.FollowerID != uuid.Nil {
		e.Detail["follower"] = t.FollowerID
	}
	switch {
	case m.GroupID != "":
		e.Event = "member_message"
	case t.State == omniflow.Handling && !t.Collaborators:
		e.Event = keywordAssignment
	case m.Received == omniflow.AskedForHuman:
		e.Event = string(omniflow.AskHuman) // CNV-11
	}
	return e
}
