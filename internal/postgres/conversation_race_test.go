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

// inTurn lets calls come for the conversation one behind the other: each waits
// for those before it.
func (c *dialogue) inTurn(calls ...func() error) []error {
	c.t.Helper()
	tx := c.begin()
	_, err := tx.Exec(c.t.Context(), `SELECT FROM conversations WHERE id = $1 FOR UPDATE`, c.id)
	require.NoError(c.t, err)
	errs := make([]error, len(calls))
	var wait sync.WaitGroup
	for i, call := range calls {
		wait.Go(func() { errs[i] = call() })
		c.blocked(i + 1)
	}
	require.NoError(c.t, tx.Commit(c.t.Context()))
	wait.Wait()
	return errs
}

// The customer writes while the run ends the conversation: the message comes
// first, or the ending, or they meet. Either it goes on, or it ended once and
// waits for a person again; no message lies unanswered in a closed conversation,
// and no survey goes to who has just written (EX-127, CNV-06).
func TestEX127ACustomerMessageAtTheInstantOfTheEnding(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	c := &dialogue{spine: s}
	c.rule(time.Hour)
	for round, id := range s.customers(omniflow.WhatsApp, 36) {
		c.id = id
		c.Exec(`UPDATE teams SET survey_text = CASE WHEN $1 THEN '滿意嗎?' ELSE '' END`, round%2 == 0)
		c.reply(c.Member)
		c.serve()
		c.rewind(time.Hour) // it would end now
		s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, '{}')`,
			s.ID, s.account(omniflow.WhatsApp), id[:])
		m := s.wrote(omniflow.WhatsApp, round, id.String(), time.Now())
		hear := func() error {
			_, err := s.DrainInbox(t.Context(), 1, func([]omniflow.InboxItem) omniflow.Intake {
				return omniflow.Intake{Messages: []omniflow.CustomerMessage{m}}
			})
			return err
		}
		look := func() error {
			_, err := s.ServeConversation(t.Context(), c.ref())
			return err
		}
		var errs []error
		possible := []omniflow.ConversationState{omniflow.Handling, omniflow.PendingHuman}
		switch round / 2 % 3 {
		case 0:
			errs, possible = c.inTurn(hear, look), possible[:1]
		case 1:
			errs, possible = c.inTurn(look, hear), possible[1:]
		default:
			errs = race(hear, look)
		}
		require.Equal(t, []error{nil, nil}, errs)
		state, waiting, _ := c.conversation()
		require.Contains(t, possible, state, "round %d", round)
		require.NotNil(t, waiting, "round %d: nobody answered", round)
		require.Equal(t, 1, s.countOf(`SELECT customer_messages FROM conversations WHERE id = $1 AND armed_until <= waiting_since + interval '30 minutes'`, id),
			"round %d: somebody looks", round)
		ended := s.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND event = 'auto_close'`, id)
		require.Equal(t, state == omniflow.PendingHuman, ended == 1, "round %d: %d endings", round, ended)
		turn := c.deliver()
		require.Equal(t, []any{state, time.Time{}, 0}, []any{turn.State, turn.ClosesAt, c.sentOf(omniflow.OriginSurvey)}, "round %d", round)
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
