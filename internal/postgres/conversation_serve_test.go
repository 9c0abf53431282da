package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// dialogue is a conversation of a spine whose times a test can move.
type dialogue struct {
	*spine
	id uuid.UUID
}

// newDialogue is a conversation on ch that the member handles; the customer wrote an
// hour ago and was answered.
func newDialogue(t *testing.T, ch omniflow.Channel) *dialogue {
	t.Helper()
	s := newSpine(t)
	c := &dialogue{spine: s, id: s.customers(ch, 1)[0]}
	c.Exec(`UPDATE limiters SET name = 'messages' WHERE name = 'multicast'`)
	return c
}

func (c *dialogue) ref() omniflow.ConversationRef {
	return omniflow.ConversationRef{TeamID: c.ID, ConversationID: c.id}
}

// rewind makes everything that happened in the conversation happen earlier.
func (c *dialogue) rewind(d time.Duration) {
	c.t.Helper()
	c.Exec(`UPDATE conversations SET last_customer_message_at = last_customer_message_at - $2::interval, waiting_since = waiting_since - $2::interval,
		last_human_reply_at = last_human_reply_at - $2::interval, close_from = close_from - $2::interval, reminded_at = reminded_at - $2::interval,
		closed_at = closed_at - $2::interval, surveyed_at = surveyed_at - $2::interval, armed_until = armed_until - $2::interval WHERE id = $1`, c.id, d)
	c.Exec(`UPDATE messages SET sent_at = sent_at - $2::interval, attempted_at = attempted_at - $2::interval, due_at = due_at - $2::interval WHERE conversation_id = $1`, c.id, d)
	c.Exec(`UPDATE inbound_messages SET sent_at = sent_at - $2::interval, received_at = received_at - $2::interval WHERE conversation_id = $1`, c.id, d)
}

// rule sets automatic ending on every channel.
func (c *dialogue) rule(duration time.Duration, set ...string) {
	c.t.Helper()
	c.Exec(`INSERT INTO auto_close_rules (id, team_id, name, channels, enabled, duration) VALUES ($1, $2, 'all', '{line,facebook,instagram,whatsapp}', true, $3)`,
		newID(), c.ID, duration)
	for _, column := range set {
		c.Exec(`UPDATE auto_close_rules SET ` + column)
	}
}

// serve looks once.
func (c *dialogue) serve() omniflow.ConversationTurn {
	c.t.Helper()
	turn, err := c.ServeConversation(c.t.Context(), c.ref())
	require.NoError(c.t, err)
	return turn
}

// writes is a message of the customer that comes in now.
func (c *dialogue) writes() {
	c.t.Helper()
	c.Exec(`UPDATE conversations SET last_customer_message_at = now(), customer_messages = customer_messages + 1,
		waiting_since = COALESCE(waiting_since, now()) WHERE id = $1`, c.id)
	c.Exec(`INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at)
		SELECT $2, team_id, id, channel_account_id, $3, 'text', '{}', now() FROM conversations WHERE id = $1`, c.id, newID(), newID().String())
}

// reply is a message of a member that the channel has taken.
func (c *dialogue) reply(sender uuid.UUID) uuid.UUID {
	c.t.Helper()
	id := c.say(c.id, omniflow.OriginAgent, sender, text("x"))
	c.Exec(`UPDATE messages SET state = 'sent', sent_at = clock_timestamp(), attempted_at = clock_timestamp() WHERE id = $1`, id)
	return id
}

// deliver claims and records what a turn found due, as the activity does, and
// looks until nothing is.
func (c *dialogue) deliver() omniflow.ConversationTurn {
	c.t.Helper()
	for range 20 {
		turn := c.serve()
		if len(turn.Due) == 0 {
			return turn
		}
		for _, id := range turn.Due {
			m, _, err := c.ClaimMessage(c.t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
			require.NoError(c.t, err)
			if m != nil {
				c.spine.record(omniflow.Sent, m.ClaimedMessage)
			}
		}
	}
	require.FailNow(c.t, "messages are due for ever")
	return omniflow.ConversationTurn{}
}

func (c *dialogue) conversation() (state omniflow.ConversationState, waiting *time.Time, level int) {
	c.t.Helper()
	require.NoError(c.t, c.pool.QueryRow(c.t.Context(), `SELECT state, waiting_since, waiting_level FROM conversations WHERE id = $1`, c.id).Scan(&state, &waiting, &level))
	return state, waiting, level
}

func (c *dialogue) sentOf(origin omniflow.Origin) int {
	return c.countOf(`SELECT count(*) FROM conversation_messages x JOIN messages m ON m.id = x.message_id
		WHERE x.conversation_id = $1 AND x.origin = $2 AND m.state = 'sent'`, c.id, string(origin))
}

func TestEX040Levels(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.writes()
	require.Equal(t, omniflow.WaitingNone, c.serve().Waiting)
	c.rewind(20 * time.Minute)
	c.writes()
	c.say(c.id, omniflow.OriginAutoReply, uuid.Nil, text("bot"))
	c.deliver()
	for _, step := range []struct {
		after time.Duration
		want  omniflow.WaitingLevel
	}{{10 * time.Minute, omniflow.WaitingOver30m}, {30 * time.Minute, omniflow.WaitingOver1h}, {time.Hour, omniflow.WaitingOver2h}} {
		c.rewind(step.after)
		require.Equal(t, step.want, c.serve().Waiting)
		require.Equal(t, step.want, c.serve().Waiting, "again is the same")
		_, _, level := c.conversation()
		require.EqualValues(t, step.want, level)
	}
}

func TestEX041AReplyThatWasSentClearsTheWait(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.writes()
	c.rewind(70 * time.Minute)
	failed := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	c.Exec(`UPDATE messages SET state = 'failed' WHERE id = $1`, failed)
	require.Equal(t, omniflow.WaitingOver1h, c.serve().Waiting, "a failed send does not (D-WTG-4)")
	c.reply(c.Member)
	turn := c.serve()
	require.Equal(t, omniflow.WaitingNone, turn.Waiting)
	_, waiting, _ := c.conversation()
	require.Nil(t, waiting)
	c.rewind(5 * time.Hour)
	require.Equal(t, omniflow.WaitingNone, c.serve().Waiting, "no later badge")
}

func TestEX126ClosesAfterTheLastHumanReply(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(24 * time.Hour)
	c.Exec(`INSERT INTO conversation_pins (conversation_id, member_id, team_id) VALUES ($1, $2, $3)`, c.id, c.Member, c.ID)
	other := c.colleague("Amy", omniflow.Supervisor)
	c.collaborate(c.id, other)
	c.reply(c.Member)
	c.serve()
	c.rewind(2 * time.Hour)
	c.reply(other)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), c.serve().ClosesAt, time.Minute)
	c.rewind(24*time.Hour - 30*time.Second)
	require.Equal(t, omniflow.Handling, c.serve().State)
	c.rewind(30 * time.Second)
	turn := c.deliver()
	require.True(t, turn.Over)
	require.Equal(t, omniflow.OutcomeAutoClosed, turn.Outcome)
	require.Zero(t, c.countOf(`SELECT count(*) FROM conversation_pins WHERE conversation_id = $1`, c.id))
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND event = 'auto_close'`, c.id))
	require.Zero(t, c.countOf(`SELECT count(*) FROM conversation_log WHERE conversation_id = $1 AND kind = 'system' AND event = 'auto_close'`, c.id), "D-CLS-5")
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversations WHERE id = $1 AND armed_until IS NULL`, c.id))
}

func TestEX127ACustomerMessageCancelsTheEnding(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(24 * time.Hour)
	c.reply(c.Member)
	c.serve()
	c.rewind(24*time.Hour - time.Minute)
	c.writes()
	c.rewind(time.Hour)
	turn := c.serve()
	require.Equal(t, omniflow.Handling, turn.State)
	require.Zero(t, turn.ClosesAt)
	c.reply(c.Member)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), c.serve().ClosesAt, time.Minute, "the next human reply starts it anew")
}

func TestReminderGraceEndingAndSurveyOnce(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour, `reminder = '還在嗎?'`)
	c.Exec(`UPDATE teams SET survey_text = '滿意嗎?'`)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour)
	c.deliver()
	require.Equal(t, 1, c.sentOf(omniflow.OriginReminder))
	c.rewind(119 * time.Second)
	require.Equal(t, omniflow.Handling, c.deliver().State)
	require.Equal(t, 1, c.sentOf(omniflow.OriginReminder), "one reminder a silence")
	c.rewind(2 * time.Second)
	turn := c.deliver()
	require.True(t, turn.Over)
	require.Equal(t, 1, c.sentOf(omniflow.OriginSurvey))
	require.True(t, c.deliver().Over)
	require.Equal(t, 1, c.sentOf(omniflow.OriginSurvey), "the survey is sent once")
	state, waiting, _ := c.conversation()
	require.Equal(t, omniflow.Closed, state, "and does not open the conversation")
	require.Nil(t, waiting)
}

func TestAMembersEndingHasItsSurveyToo(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.Exec(`UPDATE teams SET survey_text = '滿意嗎?', survey_channels = '{line}'`)
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	turn := c.deliver()
	require.Equal(t, omniflow.OutcomeClosed, turn.Outcome)
	require.Equal(t, 1, c.sentOf(omniflow.OriginSurvey))
	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	c.deliver()
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.deliver()
	require.Equal(t, 2, c.sentOf(omniflow.OriginSurvey), "one an ending")
}

func TestACustomerMessageCostsNoSignal(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(24 * time.Hour)
	c.reply(c.Member)
	c.serve()
	before := c.signals(c.id)
	err := c.inTeam(t.Context(), c.ID, func(tx pgx.Tx) error {
		return wakeConversation(t.Context(), tx, c.ref(), time.Now().Add(25*time.Hour))
	})
	require.NoError(t, err)
	require.Equal(t, before, c.signals(c.id), "the run looks before that anyhow")
	err = c.inTeam(t.Context(), c.ID, func(tx pgx.Tx) error {
		return wakeConversation(t.Context(), tx, c.ref(), time.Now().Add(30*time.Minute))
	})
	require.NoError(t, err)
	require.Equal(t, before+1, c.signals(c.id), "a badge comes before the ending")
}

func TestExcludedPinAndQuietHoursHoldTheEnding(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour, `exclude_pinned = true`)
	c.Exec(`INSERT INTO conversation_pins (conversation_id, member_id, team_id) VALUES ($1, $2, $3)`, c.id, c.Member, c.ID)
	c.reply(c.Member)
	c.serve()
	c.rewind(2 * time.Hour)
	require.Equal(t, omniflow.Handling, c.serve().State)
	before := c.signals(c.id)
	require.NoError(t, c.SetPin(t.Context(), c.ID, c.id, c.Member, false))
	require.Equal(t, before+1, c.signals(c.id), "its run sleeps past the new deadline")
	turn := c.serve()
	require.Equal(t, omniflow.Handling, turn.State)
	require.WithinDuration(t, time.Now().Add(time.Hour), turn.ClosesAt, time.Minute, "unpinning restarts the full duration")
	c.rewind(time.Hour)
	c.Exec(`UPDATE auto_close_rules SET quiet_from = ((now() AT TIME ZONE 'Asia/Taipei')::time - interval '1 minute'), quiet_until = ((now() AT TIME ZONE 'Asia/Taipei')::time + interval '10 minutes')`)
	turn = c.serve()
	require.Equal(t, omniflow.Handling, turn.State, "quiet hours postpone")
	require.WithinDuration(t, time.Now().Add(10*time.Minute), turn.ClosesAt, time.Minute)
	c.Exec(`UPDATE auto_close_rules SET quiet_from = NULL, quiet_until = NULL`)
	require.Equal(t, omniflow.Closed, c.serve().State)
}

func TestThePinOfACollaboratorWhoGoesHoldsTheEndingNoLonger(t *testing.T) {
	t.Parallel()
	for _, op := range []omniflow.Collaboration{omniflow.LeaveMembers, omniflow.RemoveMembers} {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.LINE)
			c.Exec(`UPDATE teams SET flags = '{collaboration_enabled}'`)
			amy, manager := c.colleague("Amy", omniflow.CSAgent), c.colleague("Tom", omniflow.CSManager)
			c.rule(time.Hour, `exclude_pinned = true`)
			c.collaborate(c.id, amy)
			require.NoError(t, c.SetPin(t.Context(), c.ID, c.id, amy, true))
			c.reply(c.Member)
			c.serve()
			c.rewind(2 * time.Hour)
			require.Zero(t, c.serve().ClosesAt)
			before := c.signals(c.id)
			if op == omniflow.LeaveMembers {
				require.NoError(t, c.change(c.id, amy, op))
			} else {
				require.NoError(t, c.change(c.id, manager, op, amy))
			}
			require.Equal(t, before+1, c.signals(c.id), "its run sleeps past the new deadline")
			require.WithinDuration(t, time.Now().Add(time.Hour), c.serve().ClosesAt, time.Minute, "the full duration")
		})
	}
}
