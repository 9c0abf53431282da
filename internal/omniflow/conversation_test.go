package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReceiveMessage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		s        ConversationState
		kind     ReceivedKind
		assigned bool
		want     ConversationState
	}{
		{"EX-030 a new customer gets started on Facebook", NoConversation, FacebookGetStarted, false, PendingBot},
		{"EX-031 a new customer taps a text button set in LINE", NoConversation, LINERichMenuTextLINE, false, PendingHuman},
		{"EX-032 the same with an assignment", NoConversation, LINERichMenuTextLINE, true, Handling},
		{"EX-034 a bot-card button leaves pending_human alone", PendingHuman, LINERichMenuBotCard, false, PendingHuman},
		{"EX-035 a keyword leaves handling alone", Handling, TextKeywordHit, false, Handling},
		{"EX-037 a keyword in a closed conversation", Closed, TextKeywordHit, false, PendingBot},
		{"EX-037 an image in a closed conversation", Closed, ReceivedMedia, false, PendingHuman},
		{"EX-060 a deleted customer writes without keyword", NoConversation, TextNoKeyword, false, PendingHuman},
		{"CNV-15 text without keyword leaves the bot", PendingBot, TextNoKeyword, false, PendingHuman},
		{"CNV-15 a keyword stays with the bot", PendingBot, TextKeywordHit, false, PendingBot},
		{"CNV-18 an assignment in the bot", PendingBot, TextNoKeyword, true, Handling},
		{"CNV-18 an assignment in a closed one", Closed, ReceivedMedia, true, Handling},
		{"CNV-18 no assignment where the bot answers", NoConversation, TextKeywordHit, true, PendingBot},
		{"CNV-14 no assignment in pending_human", PendingHuman, TextNoKeyword, true, PendingHuman},
		{"D-CNV-4 a location counts as media", NoConversation, "location", false, PendingHuman},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, ReceiveMessage(test.s, test.kind, test.assigned))
		})
	}
}

func TestReceiveMessageByEveryKind(t *testing.T) {
	t.Parallel()
	bot := map[ReceivedKind]bool{
		LINERichMenuBotCard: true, LINERichMenuTextOmnichat: true, LINERichMenuTextLINE: false, LINESixDigitCode: true,
		FacebookGetStarted: true, FacebookPersistentMenu: true, TextKeywordHit: true, TextNoKeyword: false, ReceivedMedia: false, AskedForHuman: false,
	}
	require.Len(t, arrivals, len(bot))
	for kind, toBot := range bot {
		want, assigned := PendingHuman, Handling
		if toBot {
			want, assigned = PendingBot, PendingBot
		}
		for _, s := range []ConversationState{NoConversation, PendingBot, Closed} {
			require.Equal(t, want, ReceiveMessage(s, kind, false), "%s in %q", kind, s)
			require.Equal(t, assigned, ReceiveMessage(s, kind, true), "%s in %q, assigned", kind, s)
		}
		for _, s := range []ConversationState{PendingHuman, Handling} {
			require.Equal(t, s, ReceiveMessage(s, kind, true), "CNV-14, CNV-16: %s in %s", kind, s)
		}
	}
}

func TestReceiveInGroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		s             ConversationState
		collaborators bool
		want          ConversationState
	}{
		{"EX-020 a closed group with a collaborator", Closed, true, Handling},
		{"EX-098 the first message of a LINE group", NoConversation, false, PendingHuman},
		{"EX-112 an ended LINE group", Closed, false, PendingHuman},
		{"EX-112 an ended LINE group with collaborators", Closed, true, Handling},
		{"a group being handled", Handling, false, Handling},
		{"a pending group", PendingHuman, false, PendingHuman},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, ReceiveInGroup(test.s, test.collaborators))
		})
	}
}

func TestAutoReplies(t *testing.T) {
	t.Parallel()
	require.False(t, AutoReplies(Handling, []ConversationState{PendingBot, PendingHuman}), "EX-035")
	require.True(t, AutoReplies(Handling, []ConversationState{PendingBot, Handling}), "EX-036")
}

func TestTransition(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		s    ConversationState
		e    Event
		want Step
	}{
		{"EX-038 Amy takes over in team handling", Handling, TakeOver, Step{Handling, FollowerActor}},
		{"EX-039 the first follow", PendingHuman, Follow, Step{Handling, FollowerActor}},
		{"D-CNV-1 follow from the bot", PendingBot, Follow, Step{Handling, FollowerActor}},
		{"CNV-11 a human is asked for", PendingBot, AskHuman, Step{PendingHuman, FollowerAssignee}},
		{"CNV-12 transfer", Handling, Transfer, Step{Handling, FollowerReceiver}},
		{"D-CNV-2 end while pending", PendingBot, End, Step{Closed, FollowerNone}},
		{"CNV-09 end", Handling, End, Step{Closed, FollowerRemembered}},
		{"CLS-01 auto-close", Handling, AutoClose, Step{Closed, FollowerRemembered}},
		{"CNV-08 reopen", Closed, Reopen, Step{Handling, FollowerActor}},
		{"WAC-04 an agent opens a conversation", NoConversation, CreateWhatsApp, Step{Handling, FollowerActor}},
		{"DEL-01 delete", Closed, Delete, Step{NoConversation, FollowerNone}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, refusal := Transition(test.s, test.e)
			require.Nil(t, refusal)
			require.Equal(t, test.want, got)
		})
	}
}

func TestTransitionRefusesEveryOtherPair(t *testing.T) {
	t.Parallel()
	allowed := map[ConversationState][]Event{
		NoConversation: {CreateWhatsApp},
		PendingBot:     {AskHuman, Follow, End, Delete, Blacklist},
		PendingHuman:   {Follow, End, Delete, Blacklist},
		Handling:       {Transfer, TakeOver, End, AutoClose, Delete, Blacklist}, // EX-039: no second follow
		Closed:         {Reopen, Delete, Blacklist},
	}
	for s, events := range allowed {
		for _, e := range []Event{CreateWhatsApp, AskHuman, Follow, End, AutoClose, Transfer, TakeOver, Reopen, Delete, Blacklist, "explode"} {
			want := InvalidTransition
			for _, ok := range events {
				if ok == e {
					want = ""
				}
			}
			_, refusal := Transition(s, e)
			require.Equal(t, want, code(refusal), "%s in %q", e, s)
		}
	}
}

func TestViewOf(t *testing.T) {
	t.Parallel()
	follower, collaborator, nobody := Relation{Follower: true}, Relation{Collaborator: true}, Relation{}
	for _, test := range []struct {
		name string
		s    ConversationState
		r    Relation
		want View
	}{
		{"EX-038 the new follower's", Handling, follower, MyHandling},
		{"EX-038 the former follower's", Handling, nobody, TeamHandling},
		{"CNV-04 a collaborator's", Handling, collaborator, MyHandling},
		{"CNV-04 closed", Closed, follower, MyClosed},
		{"D-CNV-2 closed without follower", Closed, nobody, TeamClosed},
		{"pending, human", PendingHuman, nobody, PendingHumanView},
		{"pending, bot", PendingBot, follower, PendingBotView},
		{"none", NoConversation, follower, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, ViewOf(test.s, test.r))
		})
	}
}

func TestConversationName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "王小明", ConversationName(OneToOne, "王小明", "+886912345678", "U1"))
	require.Equal(t, "+886912345678", ConversationName(OneToOne, "", "+886912345678", "U1"), "D-COL-7")
	require.Equal(t, "U1", ConversationName(OneToOne, "", "", "U1"), "D-COL-7")
	require.Equal(t, "[群組] 茶友", ConversationName(WhatsAppGroup, "茶友", "", ""), "GRP-13")
}
