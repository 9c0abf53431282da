package postgres

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// talk is a created group with an open window and members, and one message to
// it that has left.
type talk struct {
	*spine
	group   uuid.UUID
	message omniflow.MessageRef
}

func newTalk(t *testing.T, members ...string) *talk {
	t.Helper()
	s := newSpine(t)
	k := &talk{spine: s, group: s.newGroup("a", omniflow.CallUnderWay)}
	_, err := s.DecideGroup(t.Context(), s.ID, k.group, omniflow.GroupSucceeded, "", "g", "")
	require.NoError(t, err)
	s.Exec(`DELETE FROM group_members`)
	for _, phone := range members {
		s.Exec(`INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, $4, $4, 'joined')`, newID(), s.ID, k.group, phone)
	}
	s.Exec(`UPDATE members SET role = 'cs_agent' WHERE id = $1`, s.Member)
	s.Exec(`UPDATE conversations SET last_customer_message_at = now() WHERE id = $1`, k.group)
	k.message = k.send()
	return k
}

// send sends a message to the group: the provider has taken it.
func (k *talk) send() omniflow.MessageRef {
	k.t.Helper()
	m := NewGroupMessage{ID: newID(), TeamID: k.ID, GroupID: k.group, ActorID: k.Member, Content: omniflow.Content{Kind: omniflow.Text, Text: "x"}}
	_, err := k.SendGroupMessage(k.t.Context(), m)
	require.NoError(k.t, err)
	ref := omniflow.MessageRef{TeamID: k.ID, MessageID: m.ID}
	out, st, err := k.ClaimMessage(k.t.Context(), ref)
	require.NoError(k.t, err)
	require.NotNil(k.t, out, "%+v", st)
	require.Equal(k.t, 1, k.record(omniflow.Sent, out.ClaimedMessage))
	return ref
}

// told puts statuses of the message through the intake.
func (k *talk) told(state omniflow.Evidence, people ...string) omniflow.IntakeResult {
	k.t.Helper()
	var in omniflow.Intake
	for _, p := range people {
		in.Statuses = append(in.Statuses, omniflow.Status{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp), MessageID: k.message.MessageID,
			Attempt: 1, State: state, ProviderID: "wamid.1", Participant: p, At: time.Now()})
	}
	return k.take(in)
}

// take puts an intake through the inbox.
func (k *talk) take(in omniflow.Intake) omniflow.IntakeResult {
	k.t.Helper()
	_, err := k.ReceiveWebhooks(k.t.Context(), []Webhook{{TeamID: k.ID, Channel: omniflow.WhatsApp, ChannelAccountID: k.account(omniflow.WhatsApp), Body: []byte(uuid.NewString())}})
	require.NoError(k.t, err)
	result, err := k.DrainInbox(k.t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { return in })
	require.NoError(k.t, err)
	return result
}

// is checks the message's state and counts.
func (k *talk) is(state omniflow.MessageState, members, received, read int) {
	k.t.Helper()
	list, err := k.GroupMessages(k.t.Context(), k.ID, k.group, 10)
	require.NoError(k.t, err)
	for _, m := range list {
		if m.ID == k.message.MessageID {
			require.Equal(k.t, []any{string(state), members, received, read}, []any{m.State, m.Members, m.Received, m.Read})
			return
		}
	}
	require.Fail(k.t, "no such message")
}

func TestAMessageToAGroupIsReceivedWhenEverybodyHasReceivedIt(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1", "2", "3")
	k.is(omniflow.Sent, 3, 0, 0)
	k.told(omniflow.Received, "1")
	k.is(omniflow.Sent, 3, 1, 0)
	k.told(omniflow.Received, "1", "1", "2")
	k.is(omniflow.Sent, 3, 2, 0)
	k.told(omniflow.Read, "3")
	k.is(omniflow.Received, 3, 3, 1)
	k.told(omniflow.Received, "3")
	k.told(omniflow.Read, "1")
	k.is(omniflow.Received, 3, 3, 2)
	k.told(omniflow.Read, "2", "1")
	k.is(omniflow.Read, 3, 3, 3)
	require.Zero(t, k.told(omniflow.Received, "4").Changed, "somebody we did not know of comes too late to change it")
	k.is(omniflow.Read, 4, 4, 3)
}

func TestWhoJoinedUnnoticedOrLeftIsCountedAsTheyAre(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1", "2")
	k.told(omniflow.Received, "9")
	k.is(omniflow.Sent, 3, 1, 0)
	k.told(omniflow.Received, "1")
	k.is(omniflow.Sent, 3, 2, 0)
	// Who leaves without it is not waited for any more.
	left := omniflow.GroupEvent{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp), Type: omniflow.OnMemberLeft, GroupID: "g", User: "2", UserHash: "2", At: time.Now()}
	k.hear(left)
	k.is(omniflow.Received, 3, 2, 0)
	// Who joins after the message left never gets it.
	k.Exec(`INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, '5', '5', 'joined')`, newID(), k.ID, k.group)
	k.told(omniflow.Read, "1", "9")
	k.is(omniflow.Read, 3, 2, 2)
}

func TestReceiptsThatComeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1")
	k.Exec(`UPDATE messages SET state = 'sending', provider_id = NULL, sent_at = NULL WHERE id = $1`, k.message.MessageID)
	k.told(omniflow.Received, "1", "7")
	k.is(omniflow.Received, 2, 2, 0)
	// A second person's turns a lost answer into sent, no more.
	k = newTalk(t, "1", "2")
	k.Exec(`UPDATE messages SET state = 'failed', code = 'outcome_unknown' WHERE id = $1`, k.message.MessageID)
	k.told(omniflow.Read, "2")
	k.is(omniflow.Sent, 2, 1, 1)
}

func TestStatusesOfGroupsWithoutOurKeyAreFoundByTheirIds(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1", "2")
	k.Exec(`UPDATE messages SET provider_id = 'wamid.1' WHERE id = $1`, k.message.MessageID)
	clue := func(state omniflow.Evidence, group, person string) omniflow.Clue {
		c := omniflow.Clue{GroupID: group, Recipient: person, Status: omniflow.Status{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp),
			State: state, ProviderID: "wamid.1", Code: omniflow.ProviderRejected, At: time.Now(), Raw: []byte(`{}`)}}
		if group != "" {
			c.Participant = person
		}
		return c
	}
	k.take(omniflow.Intake{Clues: []omniflow.Clue{clue(omniflow.Received, "g", "1")}})
	k.is(omniflow.Sent, 2, 1, 0)
	require.Equal(t, 1, k.take(omniflow.Intake{Clues: []omniflow.Clue{clue(omniflow.Received, "other", "1")}}).Dead)
	require.Equal(t, 1, k.take(omniflow.Intake{Clues: []omniflow.Clue{clue(omniflow.Failed, "g", "")}}).Changed)
	k.is(omniflow.Failed, 2, 1, 0)
	// A failed invitation wakes the run of its member, who has no conversation.
	k.Exec(`UPDATE group_members SET state = 'inviting', message_id = $1 WHERE phone = '1'`, k.message.MessageID)
	k.Exec(`UPDATE messages SET state = 'sent', code = NULL WHERE id = $1`, k.message.MessageID)
	before := k.countOf(`SELECT count(*) FROM outbox_signals`)
	require.Zero(t, k.take(omniflow.Intake{Clues: []omniflow.Clue{clue(omniflow.Failed, "", "1")}}).Dead)
	require.Equal(t, before+1, k.countOf(`SELECT count(*) FROM outbox_signals`))
}

// A resend locks the group before the message, as relays do.
func TestAResendToAGroupAndItsWebhooksNeverWaitForEachOther(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1")
	in := omniflow.ResendInput{ConversationRef: omniflow.ConversationRef{TeamID: k.ID, ConversationID: k.group}, MessageID: k.message.MessageID, ActorID: k.Member}
	for range 30 {
		k.Exec(`UPDATE messages SET state = 'failed', code = 'provider_rejected' WHERE id = $1`, k.message.MessageID)
		settings := omniflow.GroupEvent{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp), Type: omniflow.OnRestored, GroupID: "g", At: time.Now()}
		for _, err := range race(func() error { return k.ResendMessage(t.Context(), in) }, func() error {
			k.take(omniflow.Intake{Groups: []omniflow.GroupEvent{settings}, Statuses: []omniflow.Status{{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp),
				MessageID: k.message.MessageID, Attempt: 1, State: omniflow.Failed, ProviderID: "wamid.1", At: time.Now()}}})
			return nil
		}) {
			require.NoError(t, err)
		}
	}
}

// Who sends a colleague's failed message again answers for it: it leaves though
// the colleague is no longer there.
func TestAResendIsInTheNameOfWhoAsks(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1")
	amy := k.colleague("Amy", omniflow.CSAgent)
	k.Exec(`UPDATE messages SET state = 'failed', code = 'provider_rejected' WHERE id = $1`, k.message.MessageID)
	k.Exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, k.Member)
	require.NoError(t, k.ResendMessage(t.Context(), omniflow.ResendInput{ConversationRef: omniflow.ConversationRef{TeamID: k.ID, ConversationID: k.group},
		MessageID: k.message.MessageID, ActorID: amy}))
	m, st, err := k.ClaimMessage(t.Context(), k.message)
	require.NoError(t, err)
	require.NotNil(t, m, "%+v", st)
}

// The run of a deleted group hears of it at once, and nobody waits there.
func TestADeletedGroupEndsItsRun(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1")
	k.Exec(`UPDATE conversations SET waiting_since = now(), armed_until = now() + interval '30 minutes' WHERE id = $1`, k.group)
	k.Exec(`DELETE FROM outbox_signals`)
	k.hear(omniflow.GroupEvent{TeamID: k.ID, ChannelAccountID: k.account(omniflow.WhatsApp), Type: omniflow.OnGroupDeleted, GroupID: "g", At: time.Now()})
	require.Equal(t, 1, k.countOf(`SELECT count(*) FROM outbox_signals WHERE conversation_id = $1`, k.group))
	turn, err := k.ServeConversation(t.Context(), omniflow.ConversationRef{TeamID: k.ID, ConversationID: k.group})
	require.NoError(t, err)
	require.True(t, turn.Over, "%+v", turn)
	require.Equal(t, omniflow.OutcomeClosed, turn.Outcome)
}

// Messages to groups from before they were messages of conversations are
// served, or can be sent again.
func TestGroupMessagesFromBeforeAreServed(t *testing.T) {
	t.Parallel()
	k := newTalk(t, "1")
	waiting := newID()
	k.Exec(`INSERT INTO messages (id, team_id, channel_account_id, conversation_id, content_id, recipient, state, seq)
		SELECT $2, team_id, channel_account_id, conversation_id, content_id, recipient, 'queued', seq FROM messages WHERE id = $1`, k.message.MessageID, waiting)
	k.Exec(`DELETE FROM conversation_messages; DELETE FROM outbox_signals`)
	text, err := os.ReadFile("migrations/00022_group_message.sql")
	require.NoError(t, err)
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	k.Exec(up)
	n, err := k.SweepConversations(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	turn, err := k.ServeConversation(t.Context(), omniflow.ConversationRef{TeamID: k.ID, ConversationID: k.group})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{waiting}, turn.Due)
	m, st, err := k.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: k.ID, MessageID: waiting})
	require.NoError(t, err)
	require.NotNil(t, m, "%+v", st)
}
