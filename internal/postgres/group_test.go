package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

var errAway = errors.New("away")

// newGroup is a group under review whose create call is as given.
func (s *spine) newGroup(name string, call omniflow.CreateCall) uuid.UUID {
	s.t.Helper()
	id := newID()
	_, err := s.CreateGroup(s.t.Context(), NewGroup{ID: id, TeamID: s.ID, ActorID: s.Member, ChannelAccountID: s.account(omniflow.WhatsApp), Name: name,
		Members: []NewGroupMember{{Phone: "886911000001", Hash: "h1"}}})
	require.NoError(s.t, err)
	if call != omniflow.CallDue {
		_, mine, err := s.BeginGroupCall(s.t.Context(), s.ID, id)
		require.NoError(s.t, err)
		require.True(s.t, mine)
	}
	if call == omniflow.CallUnknown {
		_, err := s.GroupCallLost(s.t.Context(), s.ID, id)
		require.NoError(s.t, err)
	}
	return id
}

func (s *spine) created(request, name string) omniflow.GroupEvent {
	return omniflow.GroupEvent{TeamID: s.ID, ChannelAccountID: s.account(omniflow.WhatsApp), Type: omniflow.OnGroupCreated, GroupID: "g-" + request,
		RequestID: request, Subject: name, InviteLink: "https://chat.whatsapp.com/x", At: time.Now(), Raw: []byte(`{"type":"group_create"}`)}
}

// hear puts events through the intake and returns its result.
func (s *spine) hear(events ...omniflow.GroupEvent) omniflow.IntakeResult {
	s.t.Helper()
	_, err := s.ReceiveWebhooks(s.t.Context(), []Webhook{{TeamID: s.ID, Channel: omniflow.WhatsApp, ChannelAccountID: s.account(omniflow.WhatsApp), Body: []byte(uuid.NewString())}})
	require.NoError(s.t, err)
	result, err := s.DrainInbox(s.t.Context(), 10, func([]omniflow.InboxItem) omniflow.Intake { return omniflow.Intake{Groups: events} })
	require.NoError(s.t, err)
	return result
}

func (s *spine) group(id uuid.UUID) omniflow.Group {
	s.t.Helper()
	g, err := s.LoadGroup(s.t.Context(), s.ID, id)
	require.NoError(s.t, err)
	return g
}

func (s *spine) countOf(sql string, args ...any) int {
	s.t.Helper()
	var n int
	s.Scan(&n, sql, args...)
	return n
}

func TestEX012AWebhookMayBeFasterThanTheAnswer(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"webhook", "answer", "both"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			id := s.newGroup("a", omniflow.CallUnderWay)
			answer := func() {
				_, err := s.GroupCallAccepted(t.Context(), s.ID, id, "r1")
				require.NoError(t, err)
			}
			hear := func() { require.Zero(t, s.hear(s.created("r1", "a")).Dead) }
			switch first {
			case "webhook":
				hear()
				require.Equal(t, omniflow.GroupReviewing, s.group(id).State, "it waits for the answer")
				answer()
			case "answer":
				answer()
				hear()
			default:
				var both sync.WaitGroup
				both.Go(answer)
				both.Go(hear)
				both.Wait()
			}
			g := s.group(id)
			require.Equal(t, []any{omniflow.GroupCreated, "g-r1"}, []any{g.State, g.ProviderID})
			require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversations WHERE type = 'whatsapp_group' AND follower_id = $1`, s.Member))
			require.Equal(t, 1, s.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow = 'ChangeGroupMember'`))
		})
	}
}

func TestEX013TheSameWebhookAgainChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.newGroup("a", omniflow.CallUnderWay)
	_, err := s.GroupCallAccepted(t.Context(), s.ID, id, "r1")
	require.NoError(t, err)
	e := s.created("r1", "a")
	require.Equal(t, 1, s.hear(e).Groups)
	require.Zero(t, s.hear(e, e).Groups, "the very same event")
	e.At = e.At.Add(time.Second)
	s.hear(e)
	require.Equal(t, 1, s.countOf(`SELECT duplicates FROM groups WHERE id = $1`, id), "another event about the same is counted")
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversation_log`))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow = 'CreateGroup'`))
}

func TestAnEventOfAnUnknownGroupIsADeadLetter(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.newGroup("not asked for yet", omniflow.CallDue)
	e := s.created("r9", "a")
	require.Equal(t, 1, s.hear(e).Dead)
	e.Type, e.Raw = omniflow.OnMemberJoined, []byte(`{"type":"group_participants_add"}`)
	require.Equal(t, 1, s.hear(e).Dead)
	require.Equal(t, 1, s.hear(e).Dead, "a replay is heard again")
	require.Equal(t, 2, s.countOf(`SELECT count(*) FROM dead_letters WHERE reason = 'group_unknown'`), "and kept once")
	s.Exec(`UPDATE dead_letters SET replayed_at = now()`)
	require.Equal(t, 1, s.hear(e).Dead)
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL`), "what was replayed in vain is there again")
	// Nor does another team's account have this group.
	other := newSpine(t)
	require.Equal(t, 1, other.hear(other.created("r1", "a")).Dead)
}

func TestALostAnswerIsFoundByItsWebhook(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	one, two := s.newGroup("same name", omniflow.CallUnknown), s.newGroup("other", omniflow.CallUnknown)
	marked := s.created("r1", "same name")
	marked.Description = omniflow.MarkedDescription("", omniflow.GroupMarker(one))
	s.hear(marked)
	require.Equal(t, omniflow.GroupCreated, s.group(one).State, "by its marker")
	s.hear(s.created("r2", "other"))
	require.Equal(t, omniflow.GroupCreated, s.group(two).State, "by its name, which no other lost request has")
	three, four := s.newGroup("twins", omniflow.CallUnknown), s.newGroup("twins", omniflow.CallUnknown)
	s.hear(s.created("r3", "twins"))
	require.Equal(t, omniflow.GroupReviewing, s.group(three).State, "the name does not tell which")
	require.Equal(t, omniflow.GroupReviewing, s.group(four).State)
}

func TestAClaimOfADeadProcessIsNeverMadeAgain(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.newGroup("a", omniflow.CallUnderWay)
	g, mine, err := s.BeginGroupCall(t.Context(), s.ID, id)
	require.NoError(t, err)
	require.False(t, mine)
	require.Equal(t, omniflow.CallUnknown, g.Call)
	g, mine, err = s.BeginGroupCall(t.Context(), s.ID, id)
	require.NoError(t, err)
	require.False(t, mine)
	// The answer of the slow first attempt is still good.
	g, err = s.GroupCallAccepted(t.Context(), s.ID, id, "r1")
	require.NoError(t, err)
	require.Equal(t, omniflow.CallAccepted, g.Call)
}

func TestAMessageThatADeadProcessClaimedIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.newGroup("a", omniflow.CallUnderWay)
	_, err := s.DecideGroup(t.Context(), s.ID, id, omniflow.GroupSucceeded, "", "g", "")
	require.NoError(t, err)
	s.Exec(`UPDATE members SET role = 'cs_agent' WHERE id = $1`, s.Member)
	s.Exec(`UPDATE conversations SET last_customer_message_at = now() WHERE id = $1`, id)
	var refs []omniflow.MessageRef
	for range 2 {
		m := NewGroupMessage{ID: newID(), TeamID: s.ID, GroupID: id, ActorID: s.Member, Content: omniflow.Content{Kind: omniflow.Text, Text: "x"}}
		_, err := s.SendGroupMessage(t.Context(), m)
		require.NoError(t, err)
		refs = append(refs, omniflow.MessageRef{TeamID: s.ID, MessageID: m.ID})
	}
	m, st, err := s.ClaimMessage(t.Context(), refs[1])
	require.NoError(t, err)
	require.Nil(t, m, "the first one leaves first")
	require.Equal(t, omniflow.Queued, st.State)
	m, _, err = s.ClaimMessage(t.Context(), refs[0])
	require.NoError(t, err)
	require.Equal(t, []any{1, true, "g"}, []any{m.Attempt, m.ToGroup, m.Recipient})
	m, st, err = s.ClaimMessage(t.Context(), refs[0])
	require.NoError(t, err)
	require.Nil(t, m)
	require.Equal(t, omniflow.Unknown, st.State)
	s.Exec(`UPDATE messages SET due_at = now(), attempted_at = now() - interval '2 days' WHERE id = $1`, refs[0].MessageID)
	st, err = s.ReconcileMessage(t.Context(), refs[0])
	require.NoError(t, err)
	require.Equal(t, omniflow.MessageStatus{State: omniflow.Failed, Code: omniflow.OutcomeUnknown}, st)
	// D-SYS-00: the window is looked at again when the message leaves.
	s.Exec(`UPDATE conversations SET last_customer_message_at = now() - interval '25 hours' WHERE id = $1`, id)
	s.Exec(`UPDATE messages SET due_at = NULL WHERE id = $1`, refs[1].MessageID)
	m, st, err = s.ClaimMessage(t.Context(), refs[1])
	require.NoError(t, err)
	require.Nil(t, m)
	require.Equal(t, omniflow.MessageStatus{State: omniflow.Failed, Code: omniflow.WindowTemplateOnly}, st)
}

func TestPromisedSignalsSurviveAnEngineThatIsAway(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.newGroup("a", omniflow.CallUnderWay)
	_, err := s.GroupCallAccepted(t.Context(), s.ID, id, "r1")
	require.NoError(t, err)
	s.hear(s.created("r1", "a"))
	n, err := s.DrainSignals(t.Context(), 10, func(context.Context, Signal) error { return errAway })
	require.Zero(t, n)
	require.ErrorIs(t, err, errAway)
	var got []Signal
	var mu sync.Mutex
	n, err = s.DrainSignals(t.Context(), 10, func(_ context.Context, x Signal) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, x)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, x := range got {
		require.Equal(t, omniflow.SignalChanged, x.Signal)
		require.NotContains(t, string(x.Input)+x.WorkflowID, "886911", "SYS-12")
	}
	n, err = s.DrainSignals(t.Context(), 10, func(context.Context, Signal) error { return errAway })
	require.NoError(t, err)
	require.Zero(t, n)
}

// The answer to the create call is committed just after its webhook has found
// no group: no other call is under way, and the webhook is no dead letter.
func TestACreationThatMeetsItsAnswer(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	id := s.newGroup("VIP", omniflow.CallUnderWay)
	_, err := s.GroupCallAccepted(t.Context(), s.ID, id, "r1")
	require.NoError(t, err)
	require.NoError(t, s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
		known, err := parkCreation(t.Context(), tx, s.created("r1", "VIP"))
		require.True(t, known)
		return err
	}))
	require.Equal(t, omniflow.GroupCreated, s.group(id).State)
	require.NoError(t, s.inTeam(t.Context(), s.ID, func(tx pgx.Tx) error {
		known, err := parkCreation(t.Context(), tx, s.created("r2", "nobody's"))
		require.False(t, known)
		return err
	}))
}
