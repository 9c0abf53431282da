package activities_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

// writes lets the first customer of ch write a text that comes in now.
func (s *stage) writes(ch omniflow.Channel, text string) {
	s.t.Helper()
	_, err := s.store.ReceiveWebhooks(s.t.Context(), []postgres.Webhook{{TeamID: s.ID, Channel: ch, ChannelAccountID: s.Account[string(ch)], Body: []byte(text)}})
	require.NoError(s.t, err)
	result, err := s.store.DrainInbox(s.t.Context(), 1, func([]omniflow.InboxItem) omniflow.Intake {
		return omniflow.Intake{Messages: []omniflow.CustomerMessage{{TeamID: s.ID, Channel: ch, ChannelAccountID: s.Account[string(ch)],
			Sender: postgrestest.Recipient(string(ch), 0), ProviderID: uuid.NewString(), Kind: "text", Text: text, At: time.Now(), Raw: []byte(`{}`)}}}
	})
	require.NoError(s.t, err)
	require.Equal(s.t, 1, result.Messages)
}

// replies lets the member answer in a conversation.
func (s *stage) replies(id uuid.UUID, text string) omniflow.MessageRef {
	s.t.Helper()
	ref := omniflow.MessageRef{TeamID: s.ID, MessageID: uuid.Must(uuid.NewV7())}
	_, err := s.store.SendConversationMessage(s.t.Context(), postgres.NewConversationMessage{ID: ref.MessageID, TeamID: s.ID, ConversationID: id,
		ActorID: s.Member, Contents: []omniflow.Content{say(text)}})
	require.NoError(s.t, err)
	return ref
}

// serve looks at a conversation until nothing of it is due.
func (s *stage) serve(id uuid.UUID) omniflow.ConversationTurn {
	s.t.Helper()
	turn, err := s.acts.ServeConversation(s.t.Context(), omniflow.ConversationRef{TeamID: s.ID, ConversationID: id})
	require.NoError(s.t, err)
	return turn
}

// tags are the hash and the tag of what the customers of ch got, in order.
func (s *stage) tags(ch omniflow.Channel) (out [][2]string) {
	for _, d := range s.sim.Truth(simulator.Channel(ch), postgrestest.ExternalID(string(ch), s.Account[string(ch)])) {
		out = append(out, [2]string{d.ContentSHA256, d.Tag})
	}
	return out
}

// newPage is a stage with one handled conversation on Messenger.
func newPage(t *testing.T) (*stage, uuid.UUID) {
	t.Helper()
	s := newStage(t)
	activities.AddGroups(s.acts, s.store, nil)
	activities.AddConversations(s.acts, s.store)
	return s, s.Customers("facebook", 1)[0]
}

// HUMAN_AGENT goes with what a person wrote, and with nothing that the system
// says: the page would lose the permission (WIN-05, D-WIN-2).
func TestWIN05HumanAgentGoesWithAnAgentsReplyOnly(t *testing.T) {
	t.Parallel()
	s, id := newPage(t)
	_, err := s.store.SaveKeyword(t.Context(), postgres.KeywordRule{TeamID: s.ID, KeywordRule: omniflow.KeywordRule{ID: uuid.New(), Keyword: "menu",
		Match: omniflow.MatchExact, Reply: "1 2 3", States: []omniflow.ConversationState{omniflow.Handling}}}, true, postgres.By{ActorID: s.Member})
	require.NoError(t, err)
	s.Exec(`UPDATE teams SET survey_text = '滿意嗎?'`)
	s.Exec(`INSERT INTO auto_close_rules (id, team_id, name, channels, enabled, duration, grace, reminder)
		VALUES ($1, $2, 'all', '{facebook}', true, '1 hour', '2 minutes', '還在嗎?')`, uuid.New(), s.ID)
	s.writes(omniflow.Facebook, "menu")
	s.serve(id)
	s.replies(id, "您好")
	s.serve(id)
	s.Exec(`UPDATE conversations SET last_human_reply_at = last_human_reply_at - interval '2 hours'`) // silence
	s.serve(id)
	s.Exec(`UPDATE conversations SET reminded_at = reminded_at - interval '1 hour'`) // its grace
	s.Exec(`UPDATE messages SET attempted_at = attempted_at - interval '1 hour'`)
	require.Equal(t, omniflow.Closed, s.serve(id).State)
	require.Equal(t, [][2]string{{simulator.TextSHA256("1 2 3"), ""}, {simulator.TextSHA256("您好"), "HUMAN_AGENT"},
		{simulator.TextSHA256("還在嗎?"), ""}, {simulator.TextSHA256("滿意嗎?"), ""}}, s.tags(omniflow.Facebook))
}

// A day after the customer wrote, the tag lets the answer out, and only that
// (WIN-05).
func TestWIN05AReplyAfterADayGoesOut(t *testing.T) {
	t.Parallel()
	s, id := newPage(t)
	wrote := time.Now().Add(-25 * time.Hour)
	_, err := s.sim.Inbound(simulator.InboundMessage{Channel: simulator.Facebook, ExternalID: postgrestest.ExternalID("facebook", s.Account["facebook"]),
		User: postgrestest.Recipient("facebook", 0), Text: "hi", Timestamp: &wrote})
	require.NoError(t, err)
	s.Exec(`UPDATE conversations SET last_customer_message_at = $1`, wrote)
	ref := s.replies(id, "您好")
	s.serve(id)
	st, err := s.store.MessageStatus(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, omniflow.Sent, st.State, st.Code)
	require.Equal(t, [][2]string{{simulator.TextSHA256("您好"), "HUMAN_AGENT"}}, s.tags(omniflow.Facebook))
}
