package postgres

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestCNV18AKeywordAssignsToNobodyWhoMayNotFollow(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	s.keyword(omniflow.KeywordRule{Keyword: "訂單", AssignTo: amy})
	for who, c := range map[string]struct {
		role  omniflow.Role
		state omniflow.MemberState
		want  []any
	}{
		"an agent":    {omniflow.CSAgent, omniflow.Active, []any{omniflow.Handling, amy}},
		"marketing":   {omniflow.Marketing, omniflow.Active, []any{omniflow.PendingHuman, uuid.Nil}},
		"deactivated": {omniflow.CSAgent, omniflow.Deactivated, []any{omniflow.PendingHuman, uuid.Nil}},
	} {
		s.Exec(`UPDATE members SET role = $2, state = $3 WHERE id = $1`, amy, string(c.role), string(c.state))
		require.Equal(t, 1, s.tell(s.says(omniflow.LINE, who, "訂單")).Messages)
		state, follower := s.shown(s.of(omniflow.LINE, who))
		require.Equal(t, c.want, []any{state, follower}, who)
	}
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversation_log WHERE event = 'keyword_assignment'`))
}
