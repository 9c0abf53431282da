package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// overdue is a conversation whose customer has been silent for an hour longer
// than the rule allows.
func (c *dialogue) overdue(set ...string) {
	c.t.Helper()
	c.rule(time.Hour, set...)
	c.reply(c.Member)
	c.serve()
	c.rewind(2 * time.Hour)
}

// TestAnEndingWaitsForWebhooksOfBefore: what the customer wrote was taken at the
// door while no worker ran; the timer and the relay come back together.
func TestAnEndingWaitsForWebhooksOfBefore(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.Exec(`UPDATE teams SET survey_text = '滿意嗎?'`)
	c.overdue()
	c.requests(1)
	c.Exec(`UPDATE inbox SET received_at = now() - interval '90 minutes'`)
	turn := c.deliver()
	require.Equal(t, omniflow.Handling, turn.State)
	require.LessOrEqual(t, turn.Wait, 2*time.Second, "it looks again soon")
	_, err := c.DrainInbox(t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake {
		return omniflow.Intake{Messages: []omniflow.CustomerMessage{c.wrote(omniflow.WhatsApp, 0, "wamid.z", time.Now().Add(-90*time.Minute))}}
	})
	require.NoError(t, err)
	turn = c.deliver()
	require.Equal(t, omniflow.Handling, turn.State)
	require.Equal(t, omniflow.WaitingOver1h, turn.Waiting)
	require.Zero(t, c.sentOf(omniflow.OriginSurvey))
}

func TestAReminderWaitsForWebhooksOfBefore(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.overdue(`reminder = '還在嗎?'`)
	c.requests(1)
	c.Exec(`UPDATE inbox SET received_at = now() - interval '90 minutes'`)
	c.deliver()
	require.Zero(t, c.sentOf(omniflow.OriginReminder))
	c.Exec(`UPDATE inbox SET processed_at = now()`)
	c.deliver()
	require.Equal(t, 1, c.sentOf(omniflow.OriginReminder), "it was about something else")
}

// TestWebhooksThatHoldNoEndingUp: later ones, read ones and other teams'.
func TestWebhooksThatHoldNoEndingUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"one that came after the time":    `UPDATE inbox SET received_at = now() - interval '30 minutes'`,
		"one that was read":               `UPDATE inbox SET received_at = now() - interval '90 minutes', processed_at = now()`,
		"one of another team":             `UPDATE inbox SET received_at = now() - interval '90 minutes', team_id = gen_random_uuid()`,
		"many of another team, and later": `INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) SELECT gen_random_uuid(), 'line', gen_random_uuid(), int4send(n), '' FROM generate_series(1, 1500) n`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.WhatsApp)
			c.overdue()
			c.requests(1)
			c.Exec(change)
			require.True(t, c.deliver().Over)
		})
	}
}

// TestALongBacklogHoldsEndingsUp: whether one of the team's is in it is not looked for.
func TestALongBacklogHoldsEndingsUp(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.overdue()
	c.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body, received_at)
		SELECT gen_random_uuid(), 'line', gen_random_uuid(), int4send(n), '', now() - interval '90 minutes' FROM generate_series(1, $1::int) n`, unheardScan)
	require.Equal(t, omniflow.Handling, c.deliver().State)
	c.Exec(`DELETE FROM inbox WHERE id = (SELECT min(id) FROM inbox)`)
	require.True(t, c.deliver().Over)
}

// TestALateReplyOfBeforeTheReopening: its outcome is learned when the
// conversation has been ended and reopened.
func TestALateReplyOfBeforeTheReopening(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.rule(time.Hour)
	lost := c.lostReply()
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.serve()
	c.rewind(2 * time.Hour)
	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	c.serve()
	c.evidence(omniflow.WhatsApp, lost, omniflow.Sent, "wamid.1")
	c.serve()
	turn := c.serve()
	require.Equal(t, omniflow.Handling, turn.State, "it ends only after the next reply")
	require.Zero(t, turn.ClosesAt)
	c.reply(c.Member)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.serve().ClosesAt, time.Minute)
}

// TestALateReplyOfBeforeTheUnpinning: the silence counts from the unpinning
// (D-CLS-3), whenever the reply before it is learned of.
func TestALateReplyOfBeforeTheUnpinning(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.rule(time.Hour, `exclude_pinned = true`)
	c.Exec(`INSERT INTO conversation_pins (conversation_id, member_id, team_id) VALUES ($1, $2, $3)`, c.id, c.Member, c.ID)
	lost := c.lostReply()
	c.serve()
	c.rewind(2 * time.Hour)
	require.NoError(t, c.SetPin(t.Context(), c.ID, c.id, c.Member, false))
	c.serve()
	c.evidence(omniflow.WhatsApp, lost, omniflow.Sent, "wamid.1")
	c.serve()
	turn := c.serve()
	require.Equal(t, omniflow.Handling, turn.State)
	require.WithinDuration(t, time.Now().Add(time.Hour), turn.ClosesAt, time.Minute)
}

// lostReply is a member's reply whose outcome is not known.
func (c *dialogue) lostReply() omniflow.ClaimedMessage {
	c.t.Helper()
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))}
	m, _, err := c.ClaimMessage(c.t.Context(), ref)
	require.NoError(c.t, err)
	_, _, err = c.ClaimMessage(c.t.Context(), ref)
	require.NoError(c.t, err)
	return m.ClaimedMessage
}

// TestARuleThatIsDeletedWhileItIsRead is none.
func TestARuleThatIsDeletedWhileItIsRead(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	require.NoError(t, c.inTeam(t.Context(), c.ID, func(tx pgx.Tx) error {
		id := newID()
		f := omniflow.ConversationFacts{}
		err := addSilence(t.Context(), tx, c.ref(), servedRow{RuleID: &id}, &f)
		require.Nil(t, f.Silence.Rule)
		return err
	}))
}

// TestANewRuleMeetsTheFirstReply: a look that began under the old rules is
// writing the first reply when the new ones are told.
func TestANewRuleMeetsTheFirstReply(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.reply(c.Member)
	c.serve()
	c.Exec(`UPDATE conversations SET last_human_reply_at = NULL`)
	c.reply(c.Member)
	tx := c.begin()
	_, err := tx.Exec(t.Context(), `SELECT id FROM conversations WHERE id = $1 FOR UPDATE`, c.id)
	require.NoError(t, err)
	var turn omniflow.ConversationTurn
	_, err = serve(t.Context(), tx, c.ref(), &turn)
	require.NoError(t, err)
	rule := omniflow.AutoCloseRule{ID: newID(), Name: "all", Channels: []omniflow.Channel{omniflow.LINE}, Enabled: true, Duration: time.Hour, Grace: omniflow.DefaultGrace}
	_, err = c.SaveAutoClose(t.Context(), c.ID, rule, By{})
	require.NoError(t, err)
	told := make(chan error, 1)
	go func() {
		_, err := c.RecountAutoClose(t.Context(), 100)
		told <- err
	}()
	c.blocked(1)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-told)
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversations WHERE id = $1 AND armed_until <= now()`, c.id), "its run is told")
}
