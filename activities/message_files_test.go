package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// lostFiles are files of which none can be read.
type lostFiles struct{ activities.Files }

func (lostFiles) Read(context.Context, uuid.UUID) ([]byte, error) {
	return nil, errors.New("no such blob")
}

// twoDue is a conversation of which two messages are due in the first look.
type twoDue struct {
	activities.ConversationLedger
	due []uuid.UUID
}

func (d *twoDue) ServeConversation(context.Context, omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
	turn := omniflow.ConversationTurn{Due: d.due}
	d.due = nil
	return turn, nil
}

// A file that is gone holds up its own message only, and not for ever.
func TestAFileThatCannotBeReadHoldsUpItsMessageOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		tries int
		state omniflow.MessageState
	}{{0, omniflow.Queued}, {omniflow.MaxAttempts - 1, omniflow.Failed}} {
		t.Run(string(row.state), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			file := &omniflow.Media{ID: uuid.Must(uuid.NewV7()), Kind: omniflow.Image}
			bad, good := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
			for id, content := range map[uuid.UUID]omniflow.Content{bad: {Kind: omniflow.Image, Media: file}, good: {Kind: omniflow.Text, Text: "x"}} {
				s.Exec(`WITH k AS (INSERT INTO contents (id, team_id, body) VALUES ($1, $2, $3))
					INSERT INTO messages (id, team_id, channel_account_id, conversation_id, content_id, seq, recipient, state, tries)
					VALUES ($1, $2, $4, $1, $1, 1, 'r', 'queued', $5)`,
					id, s.ID, []omniflow.Content{content}, s.Account["whatsapp"], row.tries)
			}
			acts := activities.New(s.store, noSecrets{s.Team}, s.senders, silent{},
				slog.New(slog.DiscardHandler), make(chan struct{}), activities.WithFiles(lostFiles{}))
			ledger := &settledBut{Store: s.store, bad: bad}
			activities.AddGroups(acts, ledger, nil)
			activities.AddConversations(acts, &twoDue{due: []uuid.UUID{bad, good}})
			started := time.Now()
			_, err := acts.ServeConversation(t.Context(), omniflow.ConversationRef{TeamID: s.ID})
			require.NoError(t, err)
			require.Equal(t, []uuid.UUID{good}, ledger.asked, "the others go")
			st, err := s.store.MessageStatus(t.Context(), omniflow.MessageRef{TeamID: s.ID, MessageID: bad})
			require.NoError(t, err)
			require.Equal(t, []any{row.state, omniflow.MediaUnavailable}, []any{st.State, st.Code})
			if row.state == omniflow.Queued {
				require.True(t, st.DueAt.After(started), "with a pause")
			}
		})
	}
}

// settledBut says of every message but one that nothing is left to do.
type settledBut struct {
	*postgres.Store
	bad   uuid.UUID
	asked []uuid.UUID
}

func (s *settledBut) MessageStatus(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageStatus, error) {
	if ref.MessageID == s.bad {
		return s.Store.MessageStatus(ctx, ref)
	}
	s.asked = append(s.asked, ref.MessageID)
	return omniflow.MessageStatus{State: omniflow.Sent}, nil
}

// endless always has one more message due.
type endless struct{ activities.ConversationLedger }

func (endless) ServeConversation(context.Context, omniflow.ConversationRef) (omniflow.ConversationTurn, error) {
	return omniflow.ConversationTurn{Due: []uuid.UUID{uuid.New()}, Next: time.Now().Add(omniflow.LookAtLeast)}, nil
}

func TestALookThatIsNotDoneGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	close(stopping)
	acts := activities.New(nil, nil, nil, silent{}, slog.New(slog.DiscardHandler), stopping)
	activities.AddGroups(acts, &settledBut{}, nil)
	activities.AddConversations(acts, endless{})
	turn, err := acts.ServeConversation(t.Context(), omniflow.ConversationRef{})
	require.NoError(t, err)
	require.Zero(t, turn.Next, "no clock but the engine's says when that is")
}
