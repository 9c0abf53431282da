package postgres

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// doubted is a message of a dialogue that one worker is sending, and that
// another took for lost: its run sleeps until the outcome is decided.
func (c *dialogue) doubted() omniflow.ClaimedMessage {
	c.t.Helper()
	c.writes()
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	require.Len(c.t, c.serve().Due, 1)
	m, _, err := c.ClaimMessage(c.t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(c.t, err)
	_, st, err := c.ClaimMessage(c.t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(c.t, err)
	require.Equal(c.t, omniflow.Unknown, st.State)
	require.Empty(c.t, c.serve().Due)
	return m.ClaimedMessage
}

func TestALateRecordWakesTheRun(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	m := c.doubted()
	before := c.signals(c.id)
	require.Equal(t, 1, c.spine.record(omniflow.Sent, m))
	require.Equal(t, before+1, c.signals(c.id))
	var input json.RawMessage
	c.Scan(&input, `SELECT input FROM outbox_signals WHERE workflow_id = $1 ORDER BY id DESC LIMIT 1`, omniflow.ServeConversationID(c.ID, c.id))
	want, err := json.Marshal(omniflow.ServeConversationInput{ConversationRef: c.ref(), Channel: omniflow.WhatsApp})
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(input))
	require.Equal(t, before+1, c.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow = $1 AND signal = $2 AND conversation_id = $3 AND team_id = $4`,
		omniflow.ServeConversationRun, omniflow.SignalChanged, c.id, c.ID))
	require.Zero(t, c.serve().Queued)
	_, waiting, _ := c.conversation()
	require.Nil(t, waiting)
	require.Equal(t, 1, c.spine.record(omniflow.Sent, m), "again")
	require.Equal(t, before+1, c.signals(c.id))
}

// The other worker's claim is on its way when the outcome is recorded.
func TestARecordSeesTheDoubtThatItWaitedFor(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	m := c.doubted()
	c.Exec(`UPDATE messages SET state = 'sending', code = NULL, due_at = NULL WHERE id = $1`, m.ID)
	other := c.begin()
	require.NoError(t, setMessage(t.Context(), other, m.ID, omniflow.MessageStatus{State: omniflow.Unknown, Code: omniflow.OutcomeUnknown, DueAt: time.Now().Add(time.Minute)}))
	before := c.signals(c.id)
	recorded := make(chan int)
	go func() { recorded <- c.spine.record(omniflow.Sent, m) }()
	c.blocked(1)
	require.NoError(t, other.Commit(t.Context()))
	require.Equal(t, 1, <-recorded)
	require.Equal(t, before+1, c.signals(c.id))
}

func TestARecordInTimeTellsNobody(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	before := c.signals(c.id)
	c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	c.say(c.id, omniflow.OriginAutoReply, c.Member, text("y"))
	c.deliver()
	require.Equal(t, before+1, c.signals(c.id), "of the first that was queued")
	c.plan("您好")
	fence, _ := c.take(omniflow.WhatsApp)
	m := c.claim(omniflow.WhatsApp, fence, 1).Messages[0]
	c.spine.record(omniflow.Unknown, m)
	require.Equal(t, 1, c.spine.record(omniflow.Sent, m))
	require.Equal(t, before+1, c.signals(c.id), "a broadcast has no run of this kind")
	require.Equal(t, 1, c.countOf(`SELECT count(*) FROM messages WHERE id = $1 AND fence = $2`, m.ID, fence))
}

// It was given up as failed, and its sender would send it again.
func TestALateRecordTakesBackThatAMessageWasGivenUp(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	m := c.doubted()
	c.Exec(`UPDATE messages SET state = 'failed', due_at = NULL WHERE id = $1`, m.ID)
	c.serve()
	_, waiting, _ := c.conversation()
	require.NotNil(t, waiting)
	before := c.signals(c.id)
	require.Equal(t, 1, c.spine.record(omniflow.Sent, m))
	require.Equal(t, []any{omniflow.Sent, ""}, []any{c.state(m.ID), c.code(m.ID)})
	require.Equal(t, before+1, c.signals(c.id))
	c.serve()
	_, waiting, _ = c.conversation()
	require.Nil(t, waiting)
}

// A run that looks at this moment has seen it failed, and is about to be through
// with it.
func TestALateRecordWaitsForTheLookUnderWay(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	m := c.doubted()
	c.Exec(`UPDATE messages SET state = 'failed', due_at = NULL WHERE id = $1`, m.ID)
	look := c.begin()
	_, err := look.Exec(t.Context(), `SELECT FROM conversations WHERE id = $1 FOR UPDATE`, c.id)
	require.NoError(t, err)
	recorded := make(chan int)
	go func() { recorded <- c.spine.record(omniflow.Sent, m) }()
	c.blocked(1)
	_, err = look.Exec(t.Context(), `UPDATE conversation_messages SET done_at = now() WHERE message_id = $1`, m.ID)
	require.NoError(t, err)
	require.NoError(t, look.Commit(t.Context()))
	require.Equal(t, 1, <-recorded)
	c.serve()
	_, waiting, _ := c.conversation()
	require.Nil(t, waiting)
}
