package postgres

import (
	"fmt"
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

func TestCNV19TheLogSaysWhatMovedAndWhoFollowsSince(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy, tom := s.colleague("Amy", omniflow.CSAgent), s.colleague("Tom", omniflow.CSAgent)
	s.keyword(omniflow.KeywordRule{Keyword: "訂單", AssignTo: amy})
	s.keyword(omniflow.KeywordRule{Keyword: "優惠", Reply: "九折", States: inBot})
	s.keyword(omniflow.KeywordRule{Keyword: "真人", AskHuman: true})
	s.tell(s.says(omniflow.LINE, "U1", "優惠"))
	s.tell(s.says(omniflow.LINE, "U1", "真人"))
	id := s.of(omniflow.LINE, "U1")
	require.NoError(t, s.move(id, tom, omniflow.Follow))
	require.NoError(t, s.move(id, tom, omniflow.End))
	s.tell(s.says(omniflow.LINE, "U1", "訂單"))
	require.NoError(t, s.move(id, amy, omniflow.Transfer, tom))
	require.NoError(t, s.CloseConversation(t.Context(), omniflow.CloseInput{ConversationRef: omniflow.ConversationRef{TeamID: s.ID, ConversationID: id}, ActionID: newID()}))
	s.Exec(`UPDATE members SET name = 'Amy Lin' WHERE id = $1`, amy)
	items, err := s.ConversationLog(t.Context(), s.ID, id)
	require.NoError(t, err)
	var got []string
	for _, item := range items {
		if item.Kind == "log" {
			got = append(got, fmt.Sprintf("%s: %q to %q by %q, followed by %q", item.Event, item.From, item.To, item.Actor, item.Follower))
		}
	}
	require.Equal(t, []string{
		`customer_message: "" to "pending_bot" by "", followed by ""`,
		`ask_human: "pending_bot" to "pending_human" by "", followed by ""`,
		`follow: "pending_human" to "handling" by "Tom", followed by "Tom"`,
		`end: "handling" to "closed" by "Tom", followed by "Tom"`,
		`keyword_assignment: "closed" to "handling" by "系統", followed by "Amy Lin"`,
		`transfer: "handling" to "handling" by "Amy Lin", followed by "Tom"`,
		`auto_close: "handling" to "closed" by "系統", followed by "Tom"`,
	}, got)
}
