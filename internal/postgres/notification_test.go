package postgres

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// newTogether is a spine whose team has collaborations; its member is called
// Jess.
func newTogether(t *testing.T) *spine {
	t.Helper()
	s := newSpine(t)
	s.Exec(`UPDATE teams SET flags = '{collaboration_enabled}'`)
	return s
}

// change asks for an operation on the collaborators.
func (s *spine) change(id, actor uuid.UUID, op omniflow.Collaboration, members ...uuid.UUID) error {
	return s.Collaborate(s.t.Context(), CollaborationChange{TeamID: s.ID, ConversationID: id, ActorID: actor, Operation: op, MemberIDs: members, ActionID: newID()})
}

// told is what a member reads, oldest first: the text, or else the kind.
func (s *spine) told(member uuid.UUID) []string {
	s.t.Helper()
	list, _, err := s.ListNotifications(s.t.Context(), s.ID, member, false, Page{Limit: 100})
	require.NoError(s.t, err)
	out := make([]string, len(list))
	for i, n := range list {
		out[len(list)-1-i] = n.Text
		if n.Text == "" {
			out[len(list)-1-i] = string(n.Kind) + " of " + n.Conversation
		}
	}
	return out
}

func (s *spine) notifications() int {
	s.t.Helper()
	return s.countOf(`SELECT count(*) FROM notifications`)
}

func TestEX077EachOfFiveWhoAreAddedIsTold(t *testing.T) {
	t.Parallel()
	s := newTogether(t)
	id := s.conversationIn(omniflow.Handling, s.Member)
	var five []uuid.UUID
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		five = append(five, s.colleague(name, omniflow.CSAgent))
	}
	require.NoError(t, s.change(id, s.Member, omniflow.AddMembers, five...))
	for _, member := range five {
		require.Equal(t, []string{"Jess (銷售人員) 將你加入 Jess 的協作對話。"}, s.told(member))
	}
	require.Equal(t, 5, s.notifications(), "nobody of an act of one's own")
}

func TestEX079EX082EX087EX091WhoIsToldInACollaboration(t *testing.T) {
	t.Parallel()
	s := newTogether(t)
	boss, amy, tom := s.colleague("Jess A", omniflow.Administrator), s.colleague("Amy", omniflow.CSManager), s.colleague("Tom", omniflow.Supervisor)
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.Exec(`UPDATE contacts SET phone = '+886912345678'`)
	s.collaborate(id, boss)
	require.NoError(t, s.change(id, boss, omniflow.AddMembers, amy))
	require.Equal(t, []string{"Jess A (管理員) 將你加入 Jess 的協作對話。"}, s.told(amy), "EX-079")
	require.NoError(t, s.move(id, s.Member, omniflow.Transfer, boss))
	require.Equal(t, []string{"Jess (銷售人員) 已將 1 個對話移轉給你。"}, s.told(boss), "EX-082")
	require.NoError(t, s.move(id, amy, omniflow.TakeOver))
	require.Equal(t, []string{"Amy (客服經理) 已接手 1 個你的對話。"}, s.told(boss)[1:], "COL-20")
	require.NoError(t, s.change(id, tom, omniflow.JoinMembers))
	require.Equal(t, 3, s.notifications(), "D-COL-5: no other collaborator; COL-13: nobody")

	require.NoError(t, s.move(id, amy, omniflow.End))
	for _, member := range []uuid.UUID{boss, s.Member, tom} {
		told := s.told(member)
		require.Equal(t, "Amy 已將對話結束。", told[len(told)-1], "EX-087")
	}
	require.NoError(t, s.move(id, tom, omniflow.Reopen))
	require.Equal(t, 6, s.notifications(), "COL-34: nobody")
	require.NoError(t, s.change(id, tom, omniflow.LeaveMembers))
	require.Equal(t, "已退出 +886912345678 的協作對話。", s.told(tom)[1], "EX-091, D-COL-7")
	require.NoError(t, s.change(id, amy, omniflow.RemoveMembers, s.Member, boss))
	s.Exec(`UPDATE contacts SET name = '王小明'`)
	require.Equal(t, "Amy (客服經理) 將你退出 王小明 的協作對話。", s.told(boss)[3], "COL-15, by the name of now")
	require.Len(t, s.told(s.Member), 2)
	require.Equal(t, 9, s.notifications())
	require.Equal(t, 9, s.countOf(`SELECT count(*) FROM notifications WHERE detail - '{actor,follower,n}'::text[] = '{}' AND (detail ->> 'actor')::uuid IS NOT NULL AND text_key <> ''`),
		"SYS-12 ids only")
}

func TestWhoIsToldOfOrdinaryConversationsAndGroups(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy, tom := s.colleague("Amy", omniflow.CSManager), s.colleague("Tom", omniflow.CSAgent)
	id := s.conversationIn(omniflow.PendingHuman, uuid.Nil)
	require.NoError(t, s.move(id, tom, omniflow.Follow))
	require.Zero(t, s.notifications(), "CNV-07")
	require.NoError(t, s.move(id, amy, omniflow.TakeOver))
	require.Equal(t, []string{"Amy (客服經理) 已接手 1 個你的對話。"}, s.told(tom), "D-NTF-2")
	require.NoError(t, s.move(id, amy, omniflow.Transfer, tom))
	require.Equal(t, "Amy (客服經理) 已將 1 個對話移轉給你。", s.told(tom)[1])
	require.NoError(t, s.move(id, tom, omniflow.End))
	require.NoError(t, s.move(id, amy, omniflow.Reopen))
	require.Equal(t, 2, s.notifications(), "section 15 has no notification of these")

	s.put(id, omniflow.Handling, tom)
	s.collaborate(id, amy)
	require.NoError(t, s.CloseConversation(t.Context(), omniflow.CloseInput{ConversationRef: omniflow.ConversationRef{TeamID: s.ID, ConversationID: id}, ActionID: newID()}))
	require.Equal(t, 2, s.notifications(), "section 18: an automatic ending tells nobody")

	group := s.newGroup("茶友", omniflow.CallUnderWay)
	_, err := s.DecideGroup(t.Context(), s.ID, group, omniflow.GroupSucceeded, "", "g-1", "https://chat.whatsapp.com/x")
	require.NoError(t, err)
	require.NoError(t, s.move(group, amy, omniflow.TakeOver))
	require.Equal(t, []string{"Amy (客服經理) 已接手 1 個你的對話。"}, s.told(s.Member), "a group is taken over by following it")
	require.NoError(t, s.move(group, amy, omniflow.Transfer, tom))
	require.Equal(t, "Amy (客服經理) 已將 1 個對話移轉給你。", s.told(tom)[2])
	s.collaborate(group, amy)
	require.NoError(t, s.move(group, tom, omniflow.End))
	require.Equal(t, []string{"Tom 已將對話結束。"}, s.told(amy))
}

func TestDWAC1WhoIsTakenFromByThePromptIsTold(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	n := NewConversation{TeamID: s.ID, ActorID: s.Member, ChannelAccountID: s.account(omniflow.WhatsApp), Phone: "+85291234567", ActionID: newID()}
	_, err := s.CreateConversation(t.Context(), n)
	require.NoError(t, err)
	n.ActorID, n.TakeOver, n.ActionID = amy, true, newID()
	for range 2 {
		_, err = s.CreateConversation(t.Context(), n)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"Amy (客服人員) 已接手 1 個你的對話。"}, s.told(s.Member))
	require.Equal(t, 1, s.notifications())
}

func TestDNTF1AnActionTellsOnce(t *testing.T) {
	t.Parallel()
	s := newTogether(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	id, other := s.conversationIn(omniflow.Handling, s.Member), s.conversationIn(omniflow.Handling, s.Member)
	mv := ConversationMove{TeamID: s.ID, ConversationID: id, ActorID: s.Member, Event: omniflow.Transfer, ReceiverID: amy, ActionID: newID()}
	ch := CollaborationChange{TeamID: s.ID, ConversationID: other, ActorID: s.Member, Operation: omniflow.AddMembers, MemberIDs: []uuid.UUID{amy}, ActionID: newID()}
	for range 3 {
		require.NoError(t, s.MoveConversation(t.Context(), mv))
		require.NoError(t, s.Collaborate(t.Context(), ch))
	}
	require.Len(t, s.told(amy), 2)

	// Also where nothing but the key says that it was told.
	write := func(action uuid.UUID) error {
		return s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
			m := notification{TeamID: s.ID, ConversationID: id, ActionID: action, MemberID: amy, Kind: omniflow.NotifiedTransferred, TextKey: omniflow.TextNotificationTransferred,
				Detail: map[string]any{"actor": s.Member, "n": 1}}
			return writeNotifications(t.Context(), tx, []notification{m, m})
		})
	}
	require.NoError(t, write(mv.ActionID))
	require.Len(t, s.told(amy), 2)
	next := newID()
	require.Equal(t, 4, countNil(race(func() error { return write(next) }, func() error { return write(next) }, func() error { return write(next) }, func() error { return write(next) })))
	require.Len(t, s.told(amy), 3)
}

func TestWhatIsNotCommittedIsNotTold(t *testing.T) {
	t.Parallel()
	s := newTogether(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	id := s.conversationIn(omniflow.Handling, s.Member)
	st := conversationStep{TeamID: s.ID, ConversationID: id, ActorID: s.Member, Event: omniflow.Transfer, ReceiverID: amy, ActionID: newID()}
	away := errors.New("away")
	transfer := func(then error) error {
		return s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
			if err := stepConversation(t.Context(), tx, st); err != nil {
				return err
			}
			var n int
			require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM notifications`).Scan(&n))
			require.Equal(t, 1, n)
			return then
		})
	}
	require.ErrorIs(t, transfer(away), away)
	require.Zero(t, s.notifications())
	require.NoError(t, transfer(nil))
	require.Equal(t, 1, s.notifications())
	deniedWith(t, s.change(id, amy, omniflow.RemoveMembers, s.Member), omniflow.CollaboratorInvalid)
	require.Equal(t, 1, s.notifications(), "a refusal tells nobody")
}

func TestDNTF3NTF02ACustomersMessageIsPushed(t *testing.T) {
	t.Parallel()
	s := newTogether(t)
	amy, tom := s.colleague("Amy", omniflow.CSAgent), s.colleague("Tom", omniflow.CSAgent)
	ids := s.customers(omniflow.Facebook, 5)
	one, together, pending, closed, late := ids[0], ids[1], ids[2], ids[3], ids[4]
	s.Exec(`UPDATE contacts p SET name = 'C' || right(p.customer_id, 1)`)
	s.collaborate(together, amy, tom)
	s.put(pending, omniflow.PendingHuman, uuid.Nil)
	s.put(closed, omniflow.Closed, tom)
	s.collaborate(closed, amy)
	s.put(late, omniflow.Closed, s.Member)
	s.Exec(`UPDATE conversations SET last_human_reply_at = now() WHERE id = $1`, late)
	now := time.Now()
	batch := omniflow.Intake{Messages: []omniflow.CustomerMessage{
		s.wrote(omniflow.Facebook, 0, "a", now), s.wrote(omniflow.Facebook, 0, "b", now), s.wrote(omniflow.Facebook, 0, "a", now),
		s.wrote(omniflow.Facebook, 1, "c", now), s.wrote(omniflow.Facebook, 2, "d", now), s.wrote(omniflow.Facebook, 3, "e", now),
		s.wrote(omniflow.Facebook, 4, "f", now.Add(-time.Minute)),
	}}
	require.Equal(t, 6, s.drain(batch).Messages)
	require.Zero(t, s.drain(batch).Messages)
	require.Equal(t, []string{"customer_message of C0", "customer_message of C0", "customer_message of C1"}, s.told(s.Member), "each message once, however often it comes; nobody in pending")
	require.Equal(t, []string{"customer_message of C1", "customer_message of C3"}, s.told(amy), "NTF-02, also where it reopens (EX-088)")
	require.Equal(t, []string{"customer_message of C1", "customer_message of C3"}, s.told(tom))
	require.Equal(t, 2, s.countOf(`SELECT count(*) FROM notifications n JOIN inbound_messages i ON i.id = n.action_id AND i.conversation_id = n.conversation_id
		WHERE n.conversation_id = $1 AND n.member_id = $2 AND i.provider_id IN ('a', 'b')`, one, s.Member), "the act is the message")
	require.Equal(t, 7, s.notifications())

	again := batch.Messages[0]
	again.ProviderID = "g"
	require.Equal(t, 1, s.drain(omniflow.Intake{Messages: append(batch.Messages, again)}).Messages)
	require.Equal(t, 8, s.notifications(), "the new one of a batch of old ones")
}

func TestAPushIsByTheStateAfterItsOwnMessage(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	s.keyword(omniflow.KeywordRule{Keyword: "menu", Reply: "1 2 3", States: inBot})
	s.keyword(omniflow.KeywordRule{Keyword: "order", AssignTo: amy})
	require.Equal(t, 3, s.tell(s.says(omniflow.Facebook, "70000001", "menu"), s.says(omniflow.Facebook, "70000001", "order"), s.says(omniflow.Facebook, "70000001", "menu")).Messages)
	require.Equal(t, []string{"customer_message of 70000001", "customer_message of 70000001"}, s.told(amy), "CNV-18: from the one that assigns it")
}

func TestAMessageInAGroupIsPushed(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	group := s.newGroup("茶友", omniflow.CallUnderWay)
	_, err := s.DecideGroup(t.Context(), s.ID, group, omniflow.GroupSucceeded, "", "g-1", "https://chat.whatsapp.com/x")
	require.NoError(t, err)
	s.collaborate(group, amy)
	m := s.says(omniflow.WhatsApp, "886911000001", "hi")
	m.GroupID = "g-1"
	for range 2 {
		s.tell(m)
	}
	for _, member := range []uuid.UUID{s.Member, amy} {
		require.Equal(t, []string{"customer_message of [群組] 茶友"}, s.told(member))
	}
}

func TestReadingNotifications(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	team, stranger := newID(), newID()
	s.Exec(`INSERT INTO teams (team_id, name, plan) VALUES ($1, 'other', 'omo')`, team)
	s.Exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, 'Kim', 'cs_agent')`, stranger, team)
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.push(id, s.Member, 5)
	s.push(id, amy, 1)
	list, left, err := s.ListNotifications(t.Context(), s.ID, s.Member, false, Page{Limit: 3})
	require.NoError(t, err)
	require.Equal(t, []int{3, 5}, []int{len(list), left})
	rest, _, err := s.ListNotifications(t.Context(), s.ID, s.Member, false, Page{Limit: 3, After: list[2].ID})
	require.NoError(t, err)
	require.Len(t, rest, 2)
	all := append(list, rest...)
	for i := range 4 {
		require.Positive(t, bytes.Compare(all[i].ID[:], all[i+1].ID[:]), "newest first")
	}
	foreign, _, err := s.ListNotifications(t.Context(), s.ID, amy, false, Page{Limit: 3})
	require.NoError(t, err)

	_, err = s.ReadNotifications(t.Context(), s.ID, s.Member, []uuid.UUID{all[0].ID, foreign[0].ID})
	deniedWith(t, err, omniflow.NotFound)
	_, err = s.ReadNotificationsUpTo(t.Context(), s.ID, s.Member, foreign[0].ID)
	deniedWith(t, err, omniflow.NotFound)
	_, err = s.ReadNotifications(t.Context(), team, stranger, []uuid.UUID{all[0].ID})
	deniedWith(t, err, omniflow.NotFound)
	_, err = s.ReadNotifications(t.Context(), team, s.Member, []uuid.UUID{all[0].ID})
	deniedWith(t, err, omniflow.NotFound)
	require.Zero(t, s.countOf(`SELECT count(*) FROM notifications WHERE read_at IS NOT NULL`))

	for range 2 {
		left, err = s.ReadNotifications(t.Context(), s.ID, s.Member, []uuid.UUID{all[1].ID, all[1].ID})
		require.NoError(t, err)
		require.Equal(t, 4, left)
	}
	left, err = s.ReadNotificationsUpTo(t.Context(), s.ID, s.Member, all[2].ID)
	require.NoError(t, err)
	require.Equal(t, 1, left)
	unread, left, err := s.ListNotifications(t.Context(), s.ID, s.Member, true, Page{Limit: 9})
	require.NoError(t, err)
	require.Equal(t, []any{1, 1, all[0].ID}, []any{len(unread), left, unread[0].ID})
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM notifications WHERE read_at IS NULL AND member_id = $1`, amy))
}

func TestPurgeDropsOldNotifications(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.push(id, s.Member, 5)
	for i, age := range [][2]any{{"91 days", nil}, {"89 days", nil}, {"40 days", "31 days"}, {"40 days", "29 days"}, {"1 day", "1 day"}} {
		s.Exec(`UPDATE notifications SET created_at = now() - $2::text::interval, read_at = now() - $3::text::interval
			WHERE id = (SELECT id FROM notifications ORDER BY id OFFSET $1 LIMIT 1)`, i, age[0], age[1])
	}
	require.NoError(t, s.Purge(t.Context()))
	require.Equal(t, 3, s.notifications())
	require.Zero(t, s.countOf(`SELECT count(*) FROM notifications WHERE created_at < now() - interval '90 days' OR read_at < now() - interval '30 days'`))
}

// push tells a member of n customer messages.
func (s *spine) push(conversation, member uuid.UUID, n int) {
	s.t.Helper()
	var list []notification
	for range n {
		list = append(list, notification{TeamID: s.ID, ConversationID: conversation, ActionID: newID(), MemberID: member, Kind: omniflow.NotifiedCustomerMessage})
	}
	require.NoError(s.t, s.inTeam(s.t.Context(), s.ID, func(tx pgx.Tx) error { return writeNotifications(s.t.Context(), tx, list) }))
}
