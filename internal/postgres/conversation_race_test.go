package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestAnAnswerBeatsTheReminder(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour, `reminder = '還在嗎?'`)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	turn := c.serve()
	require.Len(t, turn.Due, 1)
	c.writes()
	c.deliver()
	require.Zero(t, c.sentOf(omniflow.OriginReminder), "it was answered before it left")
	require.Equal(t, omniflow.Skipped, c.state(turn.Due[0]))
	c.rewind(time.Hour)
	require.Equal(t, omniflow.Handling, c.deliver().State)
}

func TestWhatBelongsToAnEndedOrTransferredConversationDoesNotLeave(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	queued := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.deliver()
	require.Equal(t, omniflow.Failed, c.state(queued))
	require.Equal(t, string(omniflow.NoLongerHandling), c.code(queued), "the loser is told why")

	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	c.Exec(`UPDATE teams SET flags = '{collaboration_enabled}'`)
	queued = c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	require.NoError(t, c.move(c.id, c.Member, omniflow.Transfer, c.colleague("Amy", omniflow.CSAgent)))
	c.deliver()
	require.Equal(t, string(omniflow.NotParticipant), c.code(queued), "COL-05")
}

func TestAReplyOnItsWayHoldsUpTheEnding(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	c.say(c.id, omniflow.OriginAgent, c.Member, text("one more thing"))
	require.Len(t, c.serve().Due, 1)
	turn := c.deliver()
	require.Equal(t, omniflow.Handling, turn.State)
	require.WithinDuration(t, time.Now().Add(time.Hour), turn.ClosesAt, time.Minute)
}

// TestEndVersusAutoClose lets a member and the system end at once.
func TestEndVersusAutoClose(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	var both sync.WaitGroup
	var moved, served error
	both.Go(func() { moved = c.move(c.id, c.Member, omniflow.End) })
	both.Go(func() { _, served = c.ServeConversation(t.Context(), c.ref()) })
	both.Wait()
	require.NoError(t, served)
	ended := c.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND kind = 'log' AND event IN ('end', 'auto_close')`, c.id)
	require.Equal(t, 1, ended, "exactly one outcome")
	if moved != nil {
		var no *omniflow.Refusal
		require.ErrorAs(t, moved, &no)
		require.Equal(t, omniflow.InvalidTransition, no.Code)
	}
}

func TestACustomerMessageAtTheInstantOfTheEnding(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	var both sync.WaitGroup
	both.Go(func() { c.writes() })
	both.Go(func() { _, _ = c.ServeConversation(t.Context(), c.ref()) })
	both.Wait()
	state, waiting, _ := c.conversation()
	require.NotNil(t, waiting, "the message is seen, whichever came first")
	if state == omniflow.Handling {
		require.Zero(t, c.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND event = 'auto_close'`, c.id))
	}
}

func TestACrashBetweenRecordAndEffectLosesNothing(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.writes()
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	require.Equal(t, []uuid.UUID{id}, c.serve().Due)
	m, _, err := c.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(t, err)
	again := c.serve()
	require.Equal(t, []uuid.UUID{id}, again.Due, "claimed by who died")
	nothing, st, err := c.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(t, err)
	require.Nil(t, nothing, "it is not sent again unproven")
	require.Equal(t, omniflow.Unknown, st.State)
	c.spine.record(omniflow.Sent, m.ClaimedMessage)
	require.Zero(t, c.serve().Queued)
	_, waiting, _ := c.conversation()
	require.Nil(t, waiting, "what a reply does is read from the ledger")
}

func TestLINEGoesAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: id}
	first, _, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	require.NotEqual(t, uuid.Nil, first.RetryKey)
	require.False(t, first.Again)
	second, _, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, first.RetryKey, second.RetryKey)
	require.True(t, second.Again)
	c.spine.record(omniflow.Sent, second.ClaimedMessage)
	third, st, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	require.Nil(t, third)
	require.Equal(t, omniflow.Sent, st.State)
}

func TestADeletedConversationEndsItsRun(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	turn, err := s.ServeConversation(t.Context(), omniflow.ConversationRef{TeamID: s.ID, ConversationID: newID()})
	require.NoError(t, err)
	require.True(t, turn.Over)
	require.Equal(t, omniflow.OutcomeDeleted, turn.Outcome)
}

func TestALateWebhookWakesTheRun(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.writes()
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: id}
	m, _, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	_, st, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, omniflow.Unknown, st.State)
	turn := c.serve()
	require.Equal(t, 1, turn.Queued)
	require.WithinDuration(t, time.Now().Add(time.Minute), turn.Next, 5*time.Second)
	before := c.signals(c.id)
	c.evidence(omniflow.WhatsApp, m.ClaimedMessage, omniflow.Sent, "wamid.1")
	require.Equal(t, before+1, c.signals(c.id))
	require.Zero(t, c.serve().Queued)

	c.writes()
	given := c.say(c.id, omniflow.OriginAgent, c.Member, text("y"))
	m, _, err = c.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: given})
	require.NoError(t, err)
	c.Exec(`UPDATE messages SET state = 'failed', code = 'outcome_unknown' WHERE id = $1`, given)
	c.serve()
	_, waiting, _ := c.conversation()
	require.NotNil(t, waiting)
	c.evidence(omniflow.WhatsApp, m.ClaimedMessage, omniflow.Received, "wamid.2")
	c.serve()
	_, waiting, _ = c.conversation()
	require.Nil(t, waiting, "it had come through after all")
}

func TestAnUnknownMessageIsNotSentBehindALaterOne(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.Exec(`UPDATE teams SET on_unknown = 'resend'`)
	first, second := c.say(c.id, omniflow.OriginAgent, c.Member, text("1")), c.say(c.id, omniflow.OriginAgent, c.Member, text("2"))
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: first}
	for range 2 {
		_, _, err := c.ClaimMessage(t.Context(), ref)
		require.NoError(t, err)
	}
	require.Empty(t, c.serve().Due, "the second waits for the outcome of the first (D-MSG-1)")
	c.rewind(time.Minute)
	require.Equal(t, []uuid.UUID{first, second}, c.serve().Due)
	m, _, err := c.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: second})
	require.NoError(t, err)
	c.spine.record(omniflow.Sent, m.ClaimedMessage)
	st, err := c.ReconcileMessage(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, omniflow.Failed, st.State, "its sender decides")
}

func TestAReopenedConversationClosesOnlyAfterTheNextReply(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	c.rewind(2 * time.Hour)
	require.Equal(t, omniflow.Handling, c.deliver().State)
	c.reply(c.Member)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.serve().ClosesAt, time.Minute)
}
