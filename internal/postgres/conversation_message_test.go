package postgres

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func text(s string) omniflow.Content { return omniflow.Content{Kind: omniflow.Text, Text: s} }

// say queues contents in a conversation and returns the id of the first row.
func (s *spine) say(conversation uuid.UUID, origin omniflow.Origin, sender uuid.UUID, contents ...omniflow.Content) uuid.UUID {
	s.t.Helper()
	id := newID()
	require.NoError(s.t, s.inTeam(s.t.Context(), s.ID, func(tx pgx.Tx) error {
		return queueConversationMessage(s.t.Context(), tx, conversationMessage{ID: id, TeamID: s.ID, ConversationID: conversation, SenderID: sender,
			Origin: origin, Contents: contents})
	}))
	return id
}

// signals counts what is promised to the run of a conversation.
func (s *spine) signals(conversation uuid.UUID) int {
	return s.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow_id = $1`, omniflow.ServeConversationID(s.ID, conversation))
}

func TestQueuedMessagesKeepTheirOrderAndWakeTheRunOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	c := s.customers(omniflow.WhatsApp, 1)[0]
	first := s.say(c, omniflow.OriginAgent, s.Member, text("1"), text("2"))
	s.say(c, omniflow.OriginAutoReply, uuid.Nil, text("3"))
	rows, _ := s.pool.Query(t.Context(), `
		SELECT k.body -> 0 ->> 'text' FROM conversation_messages x JOIN messages m ON m.id = x.message_id JOIN contents k ON k.id = m.content_id
		WHERE x.conversation_id = $1 ORDER BY x.place`, c)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, texts)
	require.Equal(t, omniflow.Queued, s.state(first))
	require.Equal(t, 1, s.signals(c), "the second found the run about to look")

	err = s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
		return queueConversationMessage(t.Context(), tx, conversationMessage{ID: first, TeamID: s.ID, ConversationID: c, Origin: omniflow.OriginAgent,
			Contents: []omniflow.Content{text("again")}})
	})
	require.NoError(t, err)
	require.Equal(t, 3, s.countOf(`SELECT count(*) FROM conversation_messages WHERE conversation_id = $1`, c), "the same id is the same message")
}

func TestASavedReplyIsOneCallOnLINE(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	c := s.customers(omniflow.LINE, 1)[0]
	s.say(c, omniflow.OriginAgent, s.Member, omniflow.Content{Kind: omniflow.SavedReply, Contents: []omniflow.Content{text("1"), text("2")}})
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM messages WHERE conversation_id = $1`, c))
	require.Equal(t, 2, s.countOf(`SELECT jsonb_array_length(k.body) FROM messages m JOIN contents k ON k.id = m.content_id WHERE m.conversation_id = $1`, c))
}
