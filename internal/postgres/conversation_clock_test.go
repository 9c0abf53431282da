package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// handOver claims a message and records that the channel took it, as a worker
// does whose clock is wrong by skew.
func (c *dialogue) handOver(id uuid.UUID, skew time.Duration) {
	c.t.Helper()
	m, _, err := c.ClaimMessage(c.t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(c.t, err)
	n, err := c.RecordMessages(c.t.Context(), c.ID, []omniflow.Record{{MessageID: id, Attempt: m.Attempt, State: omniflow.Sent, At: time.Now().Add(skew)}})
	require.NoError(c.t, err)
	require.Equal(c.t, 1, n)
}

func TestTheClocksOfWorkersDecideNothing(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"behind": -time.Hour, "ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.WhatsApp)
			c.rule(2*time.Hour, `reminder = '還在嗎?'`)
			c.writes()
			c.handOver(c.say(c.id, omniflow.OriginAgent, c.Member, text("x")), skew)
			turn := c.serve()
			_, waiting, _ := c.conversation()
			require.Nil(t, waiting, "it was answered (D-WTG-4)")
			require.WithinDuration(t, time.Now().Add(2*time.Hour+2*time.Minute), turn.ClosesAt, time.Minute)

			c.handOver(c.say(c.id, omniflow.OriginAgent, c.Member, text("y")), skew)
			require.Equal(t, 1, c.tell(c.wrote(omniflow.WhatsApp, 0, "wamid.z", time.Now())).Messages)
			c.serve()
			_, waiting, _ = c.conversation()
			require.NotNil(t, waiting, "it was not (D-WTG-1)")
			require.WithinDuration(t, time.Now(), *waiting, time.Minute)

			c.handOver(c.say(c.id, omniflow.OriginAgent, c.Member, text("z")), skew)
			c.serve()
			c.rewind(2 * time.Hour)
			reminder := c.serve().Due
			require.Len(t, reminder, 1)
			c.handOver(reminder[0], skew)
			require.WithinDuration(t, time.Now().Add(2*time.Minute), c.serve().ClosesAt, time.Minute)
		})
	}
}

func TestTheDatabaseSaysWhatIsDue(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: id}
	require.NoError(t, c.PostponeMessage(t.Context(), ref, time.Now().Add(time.Minute), omniflow.ProviderThrottled))
	st, err := c.MessageStatus(t.Context(), ref)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Minute), st.DueAt, 10*time.Second)
	c.rewind(time.Minute)
	st, err = c.MessageStatus(t.Context(), ref)
	require.NoError(t, err)
	require.Zero(t, st.DueAt, "a worker whose clock lags sends it all the same")
}

// What is stored while a reply is under way was heard when its conversation was
// held, and not when the batch began.
func TestWhatABatchStoresLateIsNotAnsweredByAnEarlierReply(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("x"))
	s := c.spine
	s.requests(1)
	_, err := s.DrainInbox(t.Context(), 1, func([]omniflow.InboxItem) omniflow.Intake {
		c.handOver(id, 0) // the batch has begun
		return omniflow.Intake{Messages: []omniflow.CustomerMessage{s.wrote(omniflow.WhatsApp, 0, "wamid.z", time.Now())}}
	})
	require.NoError(t, err)
	c.serve()
	_, waiting, _ := c.conversation()
	require.NotNil(t, waiting)
}
