package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// A provider stamps whole seconds, or tells late: what comes in after the reply
// is not answered by it.
func TestAMessageThatComesInAfterTheReplyWaits(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"whole seconds": time.Second, "a late webhook": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.WhatsApp)
			c.rule(2 * time.Hour)
			c.writes()
			c.reply(c.Member)
			c.serve()
			_, waiting, _ := c.conversation()
			require.Nil(t, waiting)
			require.Equal(t, 1, c.tell(c.wrote(omniflow.WhatsApp, 0, "wamid.z", time.Now().Add(-late))).Messages)
			_, waiting, _ = c.conversation()
			require.NotNil(t, waiting)
			require.WithinDuration(t, time.Now().Add(-late), *waiting, time.Minute)
			c.rewind(2 * time.Hour)
			turn := c.serve()
			require.Equal(t, []any{omniflow.Handling, omniflow.WaitingOver2h}, []any{turn.State, turn.Waiting}, "it does not end while the customer waits")
			require.Equal(t, 0, c.tell(c.wrote(omniflow.WhatsApp, 0, "wamid.z", time.Now())).Messages, "the same one again changes nothing")
		})
	}
}

// A reminder that could not leave at once is of the silence before the reply.
func TestAReplyBeatsAReminderThatWaits(t *testing.T) {
	t.Parallel()
	for name, replied := range map[string]bool{"replied to": true, "a reply that failed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.LINE)
			c.rule(time.Hour, `reminder = '還在嗎?'`)
			c.reply(c.Member)
			c.serve()
			c.rewind(time.Hour)
			turn := c.serve()
			require.Len(t, turn.Due, 1)
			reminder := turn.Due[0]
			later := time.Now().Add(time.Minute)
			require.NoError(t, c.PostponeMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: reminder}, later, omniflow.ProviderThrottled))
			id := c.reply(c.Member)
			want := omniflow.Skipped
			if !replied {
				c.Exec(`UPDATE messages SET state = 'failed' WHERE id = $1`, id)
				want = omniflow.Sent
			}
			require.Empty(t, c.serve().Due)
			c.Exec(`UPDATE messages SET due_at = now() WHERE id = $1`, reminder)
			c.deliver()
			require.Equal(t, want, c.state(reminder))
		})
	}
}

func TestASurveyThatWaitedIsNotSentBesideTheNext(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.Exec(`UPDATE teams SET survey_text = '滿意嗎?'`)
	c.Exec(`UPDATE channel_accounts SET state = 'stopped'`)
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.serve()
	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.Exec(`UPDATE channel_accounts SET state = 'active'`)
	c.deliver()
	require.Equal(t, 1, c.sentOf(omniflow.OriginSurvey))
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM conversation_messages x JOIN messages m ON m.id = x.message_id
		WHERE x.conversation_id = $1 AND x.origin = 'survey' AND m.state = 'skipped' AND x.place < (SELECT max(place) FROM conversation_messages)`, c.id), "the earlier one")
}

func TestASurveyIsOfThePresentEnding(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.Exec(`UPDATE teams SET survey_text = '滿意嗎?'`)
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	require.Len(t, c.serve().Due, 1)
	require.NoError(t, c.move(c.id, c.Member, omniflow.Reopen))
	require.NoError(t, c.move(c.id, c.Member, omniflow.End))
	c.Exec(`UPDATE teams SET survey_text = ''`)
	require.True(t, c.deliver().Over)
	require.Zero(t, c.sentOf(omniflow.OriginSurvey), "none is sent after this ending")
}
