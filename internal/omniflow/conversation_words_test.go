package omniflow

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A refusal says what to do next, and only what is true of the asker.
func TestARefusedMoveSaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	mine := func(in *ConversationSituation) { in.Relation.Follower = true }
	others := func(in *ConversationSituation) { in.Collaborators = true }
	helping := func(in *ConversationSituation) { in.Collaborators, in.Relation.Collaborator = true, true }
	bound := func(in *ConversationSituation) { in.Bound = true }
	const notNow = " is not possible while the conversation is "
	for _, test := range []struct {
		name  string
		in    ConversationSituation
		event Event
		rule  string
		want  string
	}{
		{"end a closed one", asked(CSAgent, Closed, mine), End, "CNV-09", "end" + notNow + "closed: it is closed already; reopen opens it"},
		{"follow a closed one", asked(CSAgent, Closed, mine), Follow, "CNV-09", "follow" + notNow + "closed: reopen it first"},
		{"transfer a closed one", asked(CSAgent, Closed, mine), Transfer, "CNV-09", "transfer" + notNow + "closed: reopen it first"},
		{"transfer a pending one", asked(CSAgent, PendingHuman, nil), Transfer, "CNV-09", "transfer" + notNow + "pending_human: follow it first"},
		{"take over a pending one", asked(CSAgent, PendingBot, nil), TakeOver, "CNV-09", "take_over" + notNow + "pending_bot: nobody follows it: follow it"},
		{"reopen a pending one", asked(CSAgent, PendingBot, nil), Reopen, "CNV-09", "reopen" + notNow + "pending_bot: it is open already: follow it"},
		{"a supervisor follows another's", asked(Supervisor, Handling, nil), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them, or take it over"},
		{"an agent, who may not take it over", asked(CSAgent, Handling, nil), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them to transfer it to you"},
		{"a sales manager, whom OMO-05 lets see it only", asked(SalesManager, Handling, bound), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them to transfer it to you"},
		{"a collaboration, from outside", asked(Supervisor, Handling, others), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them to add you as a collaborator"},
		{"a collaborator who may", asked(Supervisor, Handling, helping), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them, or take it over"},
		{"a collaborator who may not", asked(CSAgent, Handling, helping), Follow, "D-CNV-5",
			"follow" + notNow + "handling: it is followed by Jess; ask them to transfer it to you"},
		{"reopen one's own", asked(CSAgent, Handling, mine), Reopen, "D-CNV-5", "reopen" + notNow + "handling: you follow it already"},
		{"end another's", asked(Supervisor, Handling, nil), End, "CNV-12",
			"only its follower may end the conversation: it is followed by Jess; ask them, or take it over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, no := MoveConversation(test.in, test.event)
			require.NotNil(t, no)
			require.Equal(t, []string{test.rule, test.want}, []string{no.Rule, no.Detail})
		})
	}
	_, no := MoveGroup(GroupSituation{State: Closed, Role: Supervisor, Group: Group{State: GroupCreated}}, Follow)
	require.Equal(t, "follow is not possible while the group is closed: reopen it first", no.Detail)
}

func TestDROL3WhoDoesNotSeeIsNotToldWhoFollows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   Sighting
		want string
	}{
		{Sighting{Role: CSAgent, State: Handling, Followed: true},
			`another member follows this conversation, and the role "cs_agent" has only pending ones and its own: ask its follower to transfer it to you; a supervisor sees who that is`},
		{Sighting{Role: SalesStaff, State: Closed, Followed: true},
			`another member followed this conversation when it was closed, and the role "sales_staff" has only pending ones and its own: ask a supervisor to reopen it`},
		{Sighting{Role: Marketing, State: PendingHuman}, `the role "marketing" has nothing to do with conversations`},
		{Sighting{Type: WhatsAppGroup, Role: SalesStaff, State: PendingHuman}, `the role "sales_staff" has nothing to do with WhatsApp groups`},
	} {
		no := test.in.Sees()
		require.Equal(t, []any{PermissionDenied, "D-ROL-3", test.want}, []any{no.Code, no.Rule, no.Detail})
	}
}

func TestDCNV5OnlyAnEarlierVersionWasSlower(t *testing.T) {
	t.Parallel()
	for want, no := range map[string]*Refusal{
		"you gave version 99, it is 3; read it again":                                                               OtherVersion(99, 3, Handling, "Jess"),
		"you gave version -1, it is 3; read it again":                                                               OtherVersion(-1, 3, Handling, "Jess"),
		"you gave version 2, it is 3: somebody was faster, and it is handling, followed by Jess now; read it again": OtherVersion(2, 3, Handling, "Jess"),
		"you gave version 2, it is 3: somebody was faster, and it is closed, followed by nobody now; read it again": OtherVersion(2, 3, Closed, ""),
		"you gave version 2, it is 3: somebody was faster, and it is followed by Jess now; read it again":           OtherVersion(2, 3, "", "Jess"),
	} {
		require.Equal(t, []any{InvalidTransition, "D-CNV-5", want}, []any{no.Code, no.Rule, no.Detail})
	}
}

func TestAMessageThatIsNotSentSaysWhatIsFirst(t *testing.T) {
	t.Parallel()
	long := ten.Add(-30 * 24 * time.Hour)
	write := func(s ConversationState, ch Channel) *Refusal {
		r := Reply{ConversationSituation: asked(CSAgent, s, func(in *ConversationSituation) { in.Relation.Follower = true }), Channel: ch, LastCustomerAt: &long}
		return r.Permit([]Content{{Kind: Text, Text: "x"}}, ten)
	}
	group := func(s ConversationState) *Refusal {
		return PermitGroupMessage(GroupSituation{State: s, Role: Supervisor, Group: Group{State: GroupCreated}}, Text, false, &long, ten)
	}
	for want, no := range map[string]*Refusal{
		"CNV-07 reopen the conversation first: it is closed":                                           write(Closed, LINE),
		"CNV-07 follow the conversation first: it is pending_human":                                    write(PendingHuman, LINE),
		"WIN-01 the customer has not written within 24 hours: send a template":                         write(Handling, WhatsApp),
		"WIN-02 the customer has not written within 7 days: nothing can be sent until they write":      write(Handling, Facebook),
		"GRP-22 reopen the group first: it is closed":                                                  group(Closed),
		"WIN-03 nobody of the group has written within 24 hours: send a template":                      group(Handling),
		"MSG-07 line has no templates: send a text":                                                    CheckConversationContent(LINE, Content{Kind: TemplateKind, Template: &Template{Name: "x", Language: "Chinese"}}),
		"FIL-01 webchat takes no file: it takes image (image/jpeg, image/png)":                         CheckMedia(Webchat, File, Media{Kind: File, MIME: "application/pdf"}),
		"FIL-04 webchat takes no image/gif as image: it takes image/jpeg, image/png":                   CheckMedia(Webchat, Image, Media{Kind: Image, MIME: "image/gif"}),
		"FIL-01 instagram takes no video: it takes image (image/jpeg, image/png)":                      CheckMedia(Instagram, Video, Media{Kind: Video, MIME: "video/mp4"}),
		"FIL-01 webchat takes no video: it takes image (image/jpeg, image/png)":                        CheckBroadcastMedia(Webchat, Video, Media{Kind: Video, MIME: "video/mp4"}),
		"ROL-06 collaborations are off for this team: its flag collaboration_enabled switches them on": Collaborate(CollaborationSituation{ConversationSituation: asked(Supervisor, Handling, nil)}, JoinMembers),
	} {
		require.NotNil(t, no, want)
		require.Equal(t, want, no.Rule+" "+no.Detail)
	}
}

func TestDCLS1ATakenChannelNamesItsRule(t *testing.T) {
	t.Parallel()
	taken := dailyClose(func(r *AutoCloseRule) { r.ID, r.Name, r.Channels = uuid.New(), "chat", []Channel{LINE} })
	no := dailyClose(func(r *AutoCloseRule) { r.ID, r.Channels = uuid.New(), []Channel{LINE} }).Conflict([]AutoCloseRule{taken})
	require.Equal(t, `line is in the rule "chat" (`+taken.ID.String()+`) already: take it out of that one first`, no.Detail)
}
