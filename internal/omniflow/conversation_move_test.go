package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// asked is a situation of an active member.
func asked(role Role, s ConversationState, change func(*ConversationSituation)) ConversationSituation {
	in := ConversationSituation{State: s, Actor: Actor{Role: role, State: Active}, Followed: s == Handling || s == Closed, Follower: "Jess",
		ReceiverRole: CSAgent, ReceiverActive: true}
	if change != nil {
		change(&in)
	}
	return in
}

func TestMoveConversation(t *testing.T) {
	t.Parallel()
	mine := func(in *ConversationSituation) { in.Relation.Follower = true }
	helping := func(in *ConversationSituation) { in.Collaborators, in.Relation.Collaborator = true, true }
	both := func(in *ConversationSituation) { in.Collaborators, in.Relation.Follower = true, true }
	others := func(in *ConversationSituation) { in.Collaborators = true }
	with := func(f, g func(*ConversationSituation)) func(*ConversationSituation) {
		return func(in *ConversationSituation) { f(in); g(in) }
	}
	for _, test := range []struct {
		name  string
		in    ConversationSituation
		event Event
		want  Step
		code  Code
	}{
		{"CNV-07 follow from human", asked(CSAgent, PendingHuman, nil), Follow, Step{Handling, FollowerActor}, ""},
		{"D-CNV-1 follow from bot", asked(SalesStaff, PendingBot, nil), Follow, Step{Handling, FollowerActor}, ""},
		{"marketing follows", asked(Marketing, PendingHuman, nil), Follow, Step{}, PermissionDenied},
		{"D-ROL-4", asked(CSAgent, PendingHuman, func(in *ConversationSituation) { in.Actor.State = Deactivated }), Follow, Step{}, ActorInactive},
		{"follow a handled one", asked(Administrator, Handling, nil), Follow, Step{}, InvalidTransition},
		{"follow a closed one", asked(Administrator, Closed, nil), Follow, Step{}, InvalidTransition},
		{"CNV-12 transfer", asked(CSAgent, Handling, mine), Transfer, Step{Handling, FollowerReceiver}, ""},
		{"transfer by another", asked(Administrator, Handling, nil), Transfer, Step{}, NotFollower},
		{"transfer to oneself", asked(CSAgent, Handling, with(mine, func(in *ConversationSituation) { in.ReceiverIsFollower = true })), Transfer, Step{}, ReceiverIsFollower},
		{"transfer to nobody", asked(CSAgent, Handling, with(mine, func(in *ConversationSituation) { in.ReceiverActive = false })), Transfer, Step{}, ReceiverInactive},
		{"transfer to marketing", asked(CSAgent, Handling, with(mine, func(in *ConversationSituation) { in.ReceiverRole = Marketing })), Transfer, Step{}, ReceiverInvalid},
		{"transfer a pending one", asked(CSAgent, PendingHuman, nil), Transfer, Step{}, InvalidTransition},
		{"CNV-12 take over", asked(CSManager, Handling, nil), TakeOver, Step{Handling, FollowerActor}, ""},
		{"D-ROL-3 an agent takes over", asked(CSAgent, Handling, nil), TakeOver, Step{}, PermissionDenied},
		{"OMO-05 a sales manager of the customer", asked(SalesManager, Handling, func(in *ConversationSituation) { in.Bound = true }), TakeOver, Step{}, PermissionDenied},
		{"take over one's own", asked(Supervisor, Handling, mine), TakeOver, Step{}, InvalidTransition},
		{"CNV-09 end", asked(CSAgent, Handling, mine), End, Step{Closed, FollowerRemembered}, ""},
		{"end by another", asked(Administrator, Handling, nil), End, Step{}, NotFollower},
		{"D-CNV-2 end a pending one", asked(SalesStaff, PendingBot, nil), End, Step{Closed, FollowerNone}, ""},
		{"end a closed one", asked(CSAgent, Closed, mine), End, Step{}, InvalidTransition},
		{"CNV-08 reopen one's own", asked(CSAgent, Closed, mine), Reopen, Step{Handling, FollowerActor}, ""},
		{"reopen from team closed", asked(Supervisor, Closed, nil), Reopen, Step{Handling, FollowerActor}, ""},
		{"an agent reopens another's", asked(CSAgent, Closed, nil), Reopen, Step{}, PermissionDenied},
		{"an agent reopens nobody's", asked(CSAgent, Closed, func(in *ConversationSituation) { in.Followed = false }), Reopen, Step{Handling, FollowerActor}, ""},
		{"reopen an open one", asked(CSAgent, Handling, mine), Reopen, Step{}, InvalidTransition},
		{"COL-20 take over", asked(CSManager, Handling, helping), TakeOver, Step{Handling, FollowerActor}, ""},
		{"COL-20 an agent", asked(CSAgent, Handling, helping), TakeOver, Step{}, PermissionDenied},
		{"EX-085", asked(Supervisor, Handling, others), TakeOver, Step{}, NotCollaborator},
		{"EX-082", asked(CSAgent, Handling, with(both, func(in *ConversationSituation) { in.ReceiverCollaborates = true })), Transfer, Step{Handling, FollowerReceiver}, ""},
		{"EX-083", asked(CSAgent, Handling, both), Transfer, Step{}, ReceiverNotCollaborator},
		{"COL-23 a collaborator", asked(Administrator, Handling, helping), Transfer, Step{}, NotFollower},
		{"EX-086", asked(Supervisor, Handling, helping), End, Step{}, CollaboratorCannotClose},
		{"EX-087", asked(CSAgent, Handling, both), End, Step{Closed, FollowerRemembered}, ""},
		{"EX-089", asked(CSAgent, Closed, helping), Reopen, Step{Handling, FollowerRemembered}, ""},
		{"EX-090", asked(Supervisor, Closed, others), Reopen, Step{Handling, FollowerRemembered}, ""},
		{"COL-34 an agent from outside", asked(CSAgent, Closed, others), Reopen, Step{}, PermissionDenied},
		{"auto-close by a member", asked(Administrator, Handling, mine), AutoClose, Step{}, PermissionDenied},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			step, no := MoveConversation(test.in, test.event)
			if test.code != "" {
				require.NotNil(t, no)
				require.Equal(t, test.code, no.Code, no.Detail)
				return
			}
			require.Nil(t, no)
			require.Equal(t, test.want, step)
		})
	}
}

func TestOnlyTheSystemClosesBySystem(t *testing.T) {
	t.Parallel()
	step, no := MoveBySystem(Handling, AutoClose)
	require.Nil(t, no)
	require.Equal(t, Step{Closed, FollowerRemembered}, step)
	for _, s := range []ConversationState{PendingBot, PendingHuman, Closed} {
		_, no := MoveBySystem(s, AutoClose)
		require.Equal(t, InvalidTransition, no.Code)
	}
	for _, e := range []Event{Follow, TakeOver, Transfer, End, Reopen, Delete} {
		_, no := MoveBySystem(Handling, e)
		require.Equal(t, InvalidTransition, no.Code)
	}
}

func TestDROL3WhoSeesWhat(t *testing.T) {
	t.Parallel()
	for _, role := range Roles {
		for _, s := range []ConversationState{PendingHuman, PendingBot, Handling, Closed} {
			in := Sighting{Role: role, State: s, Followed: true}
			want := role != Marketing && (role.AdminType() || s == PendingHuman || s == PendingBot)
			require.Equal(t, want, in.Sees() == nil, "%s %s", role, s)
			in.Relation.Collaborator = true
			require.Equal(t, role != Marketing, in.Sees() == nil, "%s %s, one's own", role, s)
		}
	}
	for role, sees := range map[Role]bool{CSAgent: true, MarketingCS: true, SalesStaff: false, SalesManager: false} {
		require.Equal(t, sees, Sighting{Type: WhatsAppGroup, Role: role, State: PendingHuman}.Sees() == nil, "GRP-02 %s", role)
	}
	require.Equal(t, "沒有權限查看此顧客對話", Sighting{Role: CSAgent, State: Handling, Followed: true}.Sees().Text())
}

func TestKeywordsMatch(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	rules := []KeywordRule{
		{Keyword: "price", Match: MatchContains, Reply: "1"}, {Keyword: "Price List", Match: MatchExact, Reply: "2"},
		{Keyword: "list", Match: MatchContains, AssignTo: a}, {Keyword: "list", Match: MatchContains, AssignTo: b},
		{Keyword: "human", Match: MatchExact, AskHuman: true}, {Keyword: "hi", Match: MatchExact, Reply: "3", Channels: []Channel{LINE}},
	}
	for _, test := range []struct {
		name, text string
		ch         Channel
		reply      string
		assign     uuid.UUID
		kind       ReceivedKind
	}{
		{"contains", "the PRICE?", LINE, "1", uuid.Nil, TextKeywordHit},
		{"D-CNV-4 exact before contains, and the first assignment", " price list ", LINE, "2", a, TextNoKeyword},
		{"none", "hello", LINE, "", uuid.Nil, TextNoKeyword},
		{"CNV-11", "HUMAN", LINE, "", uuid.Nil, AskedForHuman},
		{"of its channel", "hi", LINE, "3", uuid.Nil, TextKeywordHit},
		{"of another channel", "hi", WhatsApp, "", uuid.Nil, TextNoKeyword},
		{"nothing", "  ", LINE, "", uuid.Nil, TextNoKeyword},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			hit := MatchKeywords(rules, test.ch, test.text)
			reply := ""
			if hit.Reply != nil {
				reply = hit.Reply.Reply
			}
			require.Equal(t, []any{test.reply, test.assign, test.kind}, []any{reply, hit.AssignTo, hit.Received()})
		})
	}
}

func TestTalkHears(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	amy := uuid.New()
	talk := Talk{Type: OneToOne, State: Handling, FollowerID: amy, LastHumanReplyAt: ago(time.Hour), LastCustomerAt: ago(2 * time.Hour)}
	next := talk.Hear(TextNoKeyword, uuid.Nil, ago(30*time.Minute), now)
	require.Equal(t, ago(30*time.Minute), next.WaitingSince, "D-WTG-1")
	later := next.Hear(TextNoKeyword, uuid.Nil, ago(10*time.Minute), now)
	require.Equal(t, []any{ago(30 * time.Minute), ago(10 * time.Minute), amy}, []any{later.WaitingSince, later.LastCustomerAt, later.FollowerID})
	earlier := next.Hear(TextNoKeyword, uuid.Nil, ago(40*time.Minute), now)
	require.Equal(t, ago(40*time.Minute), earlier.WaitingSince, "in whatever order they come")
	require.Equal(t, next.LastCustomerAt, earlier.LastCustomerAt)
	require.Equal(t, ago(90*time.Minute), talk.Hear(TextNoKeyword, uuid.Nil, ago(90*time.Minute), now).WaitingSince, "nobody had heard of it when he answered")
	replied := Talk{Type: OneToOne, State: Handling, FollowerID: amy, LastHumanReplyAt: ago(time.Hour).Add(114 * time.Millisecond)}
	require.Equal(t, ago(time.Hour), replied.Hear(TextNoKeyword, uuid.Nil, ago(time.Hour), now).WaitingSince, "of the second of the reply: he may have written after it")
	require.Equal(t, ago(time.Hour+time.Second), replied.Hear(TextNoKeyword, uuid.Nil, ago(time.Hour+time.Second), now).WaitingSince)
	replied.State, replied.ClosedAt = Closed, ago(59*time.Minute)
	require.Equal(t, PendingHuman, replied.Hear(TextNoKeyword, uuid.Nil, ago(time.Hour), now).State)
	require.Equal(t, Closed, replied.Hear(TextNoKeyword, uuid.Nil, ago(time.Hour+time.Second), now).State)
	ancient := Talk{Type: OneToOne}.Hear(TextNoKeyword, uuid.Nil, time.Unix(0, 0), now)
	require.Equal(t, []any{ago(7 * 24 * time.Hour), time.Unix(0, 0), PendingHuman}, []any{ancient.WaitingSince, ancient.LastCustomerAt, ancient.State})
	require.Equal(t, now, Written(now.Add(time.Hour), now))
	closed := Talk{Type: OneToOne, State: Closed, FollowerID: amy, ClosedAt: ago(time.Hour)}
	again := closed.Hear(TextNoKeyword, uuid.Nil, now, now)
	require.Equal(t, []any{PendingHuman, uuid.Nil, time.Time{}}, []any{again.State, again.FollowerID, again.ClosedAt}, "D-CNV-6")
	closed.Collaborators = true
	again = closed.Hear(TextKeywordHit, uuid.New(), now, now)
	require.Equal(t, []any{Handling, amy}, []any{again.State, again.FollowerID}, "COL-07, COL-45")
}
