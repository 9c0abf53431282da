package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// A message that the provider took, failed and got again has the id of the
// newest call: statuses without our key are found by it, whatever was said
// late about the call before.
func TestAResentMessageHasTheIdOfItsNewestCall(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	c := s.customers(omniflow.WhatsApp, 1)[0]
	s.put(c, omniflow.Handling, s.Member)
	id := s.say(c, omniflow.OriginAgent, s.Member, text("x"))
	ref := omniflow.MessageRef{TeamID: s.ID, MessageID: id}
	accepted := func(provider string) omniflow.ClaimedMessage {
		m, _, err := s.ClaimMessage(t.Context(), ref)
		require.NoError(t, err)
		require.NotNil(t, m)
		if provider == "wamid.2" { // late news of the first call comes while the second is under way
			first := m.ClaimedMessage
			first.Attempt--
			require.Zero(t, s.evidence(omniflow.WhatsApp, first, omniflow.Failed, "wamid.1").Changed)
			require.Equal(t, omniflow.Sending, s.state(id))
		}
		n, err := s.RecordMessages(t.Context(), s.ID, []omniflow.Record{{MessageID: id, Attempt: m.Attempt, State: omniflow.Sent, ProviderID: provider,
			HTTPStatus: 200, At: time.Now()}})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		return m.ClaimedMessage
	}
	first := accepted("wamid.1")
	require.Equal(t, 1, s.evidence(omniflow.WhatsApp, first, omniflow.Failed, "wamid.1").Changed)
	require.NoError(t, s.ResendMessage(t.Context(), omniflow.ResendInput{ConversationRef: omniflow.ConversationRef{TeamID: s.ID, ConversationID: c}, MessageID: id, ActorID: s.Member}))
	accepted("wamid.2")
	var provider string
	s.Scan(&provider, `SELECT provider_id FROM messages WHERE id = $1`, id)
	require.Equal(t, "wamid.2", provider)
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM attempts WHERE message_id = $1 AND provider_id = 'wamid.1'`, id), "the first call's trace is kept, once")
	require.Equal(t, 1, s.clues(s.clue(omniflow.WhatsApp, 0, omniflow.Received, "wamid.2")).Changed, "a status without our key")
	require.Equal(t, omniflow.Received, s.state(id))
}
