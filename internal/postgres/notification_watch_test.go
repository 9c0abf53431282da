package postgres

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// stream is a member's stream of notifications.
type stream struct {
	*spine
	member uuid.UUID
	place  NotificationPlace
}

func (s *spine) stream(member uuid.UUID) *stream {
	s.t.Helper()
	place, err := s.NewestNotification(s.t.Context(), s.ID, member)
	require.NoError(s.t, err)
	return &stream{spine: s, member: member, place: place}
}

// look gives the acts of what is new, and goes on from there.
func (s *stream) look() []uuid.UUID {
	s.t.Helper()
	list, next, err := s.NewNotifications(s.t.Context(), s.ID, s.member, s.place)
	require.NoError(s.t, err)
	s.place = next
	var out []uuid.UUID
	for _, n := range list {
		out = append(out, n.ActionID)
	}
	return out
}

// open is a transaction that has pushed a notification and is not committed.
func (s *stream) open(conversation uuid.UUID) (pgx.Tx, uuid.UUID) {
	s.t.Helper()
	tx, err := s.pool.Begin(s.t.Context())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it is over, unless the test failed
	m := notification{TeamID: s.ID, ConversationID: conversation, ActionID: newID(), MemberID: s.member, Kind: omniflow.NotifiedCustomerMessage}
	require.NoError(s.t, writeNotifications(s.t.Context(), tx, []notification{m}))
	return tx, m.ActionID
}

// TestTheStreamMissesNothingWhateverTheOrderOfCommits: ids are given when a
// notification is written, and seen when it is committed.
func TestTheStreamMissesNothingWhateverTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.push(id, s.Member, 2)
	st := s.stream(s.Member)
	require.Empty(t, st.look(), "what was there before is in the list")
	slow, first := st.open(id)
	lost, _ := st.open(id)
	quick, second := st.open(id)
	require.Empty(t, st.look())
	require.NoError(t, quick.Commit(t.Context()))
	before := *st
	require.Equal(t, []uuid.UUID{second}, st.look())
	require.NoError(t, lost.Rollback(t.Context()))
	require.Empty(t, st.look())
	late, third := st.open(id)
	require.NoError(t, slow.Commit(t.Context()))
	resumed, err := ParseNotificationPlace(st.place.String())
	require.NoError(t, err)
	st.place = resumed // as after a break
	require.Equal(t, []uuid.UUID{first}, st.look(), "its id is the earlier one")
	require.NoError(t, late.Commit(t.Context()))
	require.Equal(t, []uuid.UUID{third}, st.look())
	require.Empty(t, st.look(), "and nothing twice")
	require.Equal(t, []uuid.UUID{first, second, third}, before.look(), "who comes back later gets them all")
	other := s.stream(s.colleague("Amy", omniflow.CSAgent))
	s.push(id, s.Member, 1)
	require.Empty(t, other.look(), "another member's")
	s.push(id, other.member, 1)
	require.Len(t, other.look(), 1)
	s.push(id, other.member, 1)
	s.Exec(`UPDATE members SET state = 'deactivated' WHERE id = $1`, other.member)
	require.Empty(t, other.look(), "D-ROL-4")
}

func TestALongBacklogComesInParts(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.conversationIn(omniflow.Handling, s.Member)
	st := s.stream(s.Member)
	slow, last := st.open(id)
	s.push(id, s.Member, 2*notificationsAtOnce+50)
	seen := map[uuid.UUID]bool{}
	for i, want := range []int{notificationsAtOnce, notificationsAtOnce + 1, 50, 0} {
		if i == 1 {
			require.NoError(t, slow.Commit(t.Context()))
		}
		acts := st.look()
		require.Len(t, acts, want)
		for _, act := range acts {
			require.False(t, seen[act])
			seen[act] = true
		}
	}
	require.True(t, seen[last])
}

func TestBadPlacesOfTheStream(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	for _, text := range []string{"", "x", "7", newID().String(), newID().String() + ":", ":5:5:", "x:5:5:"} {
		_, err := ParseNotificationPlace(text)
		deniedWith(t, err, omniflow.InvalidInput)
	}
	for _, snapshot := range []string{"x", "5:4:", "5:6:9", "0:0:", "5:5:;", "'"} {
		p, err := ParseNotificationPlace(newID().String() + ":" + snapshot)
		require.NoError(t, err)
		_, _, err = s.NewNotifications(t.Context(), s.ID, s.Member, p)
		deniedWith(t, err, omniflow.InvalidInput)
	}
	// One from another life of the database finds what is new all the same.
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.push(id, s.Member, 1)
	st := s.stream(s.Member)
	st.place.Snapshot = "900000000:900000000:"
	s.push(id, s.Member, 1)
	require.Len(t, st.look(), 1)
	require.Empty(t, st.look())
}
