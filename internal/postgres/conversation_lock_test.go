package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// meanwhile runs step while the test's own transaction changes the conversation,
// and commits it once step waits for that.
func (c *dialogue) meanwhile(change string, step func()) {
	c.t.Helper()
	tx := c.begin()
	_, err := tx.Exec(c.t.Context(), `UPDATE conversations SET `+change+` WHERE id = $1`, c.id)
	require.NoError(c.t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		step()
	}()
	c.blocked(1)
	require.NoError(c.t, tx.Commit(c.t.Context()))
	<-done
}

func TestALookSeesWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.rule(time.Hour)
	c.reply(c.Member)
	c.serve()
	c.rewind(time.Hour) // it would end now
	c.meanwhile(`last_customer_message_at = now(), waiting_since = now()`, func() { _, _ = c.ServeConversation(t.Context(), c.ref()) })
	state, waiting, _ := c.conversation()
	require.Equal(t, omniflow.Handling, state)
	require.NotNil(t, waiting, "the customer has written")
}

func TestAMessageIsHeardInTheStateThatItWaitedFor(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	m := c.wrote(omniflow.LINE, 0, "1", time.Now())
	c.meanwhile(`state = 'closed', closed_at = now() - interval '1 minute', version = version + 1`, func() { c.tell(m) })
	state, waiting, _ := c.conversation()
	require.Equal(t, omniflow.PendingHuman, state, "CNV-06: it was ended")
	require.NotNil(t, waiting)
}

func TestAClaimIsJudgedByTheEndingThatItWaitedFor(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	c.meanwhile(`state = 'closed', closed_at = now()`, func() { _, _, _ = c.ClaimMessage(t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id}) })
	require.Equal(t, []any{omniflow.Failed, string(omniflow.NoLongerHandling)}, []any{c.state(id), c.code(id)}, "D-SYS-00")
}
