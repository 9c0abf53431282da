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
