package omniflow

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func draft(kind SavedReplyKind, audience ReplyAudience) SavedReplyDraft {
	d := SavedReplyDraft{Topic: "t", Kind: kind, Audience: audience, Roles: []Role{CSAgent}, Stores: []string{"s"}}
	if kind == BotModule {
		d.Module = &Module{Type: "card", Channels: []Channel{LINE}}
		return d
	}
	d.Contents = words("hi")
	return d
}

// TestRPL20 is the table of RPL-20, cell by cell: kinds, audiences, deleting.
func TestRPL20(t *testing.T) {
	t.Parallel()
	audiences := []ReplyAudience{AllMembers, OnlyMyself, GivenRoles, GivenStores}
	for role, row := range map[Role]struct {
		bot       bool
		audiences [4]bool
		remove    bool
		notNamed  Role // a role that given_roles may not name; "": it may name every one
	}{
		Administrator: {true, [4]bool{true, true, true, true}, true, ""},
		Supervisor:    {true, [4]bool{true, true, true, false}, true, Administrator},
		CSManager:     {true, [4]bool{false, true, true, false}, true, Supervisor},
		CSAgent:       {false, [4]bool{false, true, true, false}, true, CSManager},
		SalesManager:  {false, [4]bool{false, true, false, true}, true, CSAgent},
		SalesStaff:    {false, [4]bool{false, true, false, true}, true, CSAgent},
		Marketing:     {true, [4]bool{true, false, true, false}, false, MarketingCS},
		MarketingCS:   {true, [4]bool{true, true, true, true}, true, ""},
	} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			m := ReplyMember{ID: uuid.New(), Role: role, Store: "s"}
			for i, audience := range audiences {
				want := Code("")
				if !row.audiences[i] {
					want = SavedReplyAudienceForbidden
				}
				require.Equal(t, want, code(draft(CustomReply, audience).PermitSave(m)), "%s", audience)
				if !row.bot {
					want = SavedReplyTypeForbidden
				}
				require.Equal(t, want, code(draft(BotModule, audience).PermitSave(m)), "%s", audience)
			}
			require.Equal(t, row.remove, PermitDeleteReply(role) == nil)
			if row.audiences[2] {
				d := draft(CustomReply, GivenRoles)
				d.Roles = append(d.Roles, row.notNamed)
				if row.notNamed == "" {
					d.Roles = Roles[:]
				}
				require.Equal(t, row.notNamed == "", d.PermitSave(m) == nil)
			}
		})
	}
	require.Equal(t, SavedReplyTypeForbidden, code(draft(CustomReply, OnlyMyself).PermitSave(ReplyMember{Role: "boss"})))
	elsewhere := draft(CustomReply, GivenStores)
	elsewhere.Stores = []string{"another"}
	require.Equal(t, SavedReplyAudienceForbidden, code(elsewhere.PermitSave(ReplyMember{Role: SalesStaff, Store: "s"})), "the bound store only")
}

func TestSavedReplyExamples(t *testing.T) {
	t.Parallel()
	marketing, agent := ReplyMember{uuid.New(), Marketing, ""}, ReplyMember{uuid.New(), CSAgent, ""}
	bot := draft(BotModule, AllMembers)
	require.Nil(t, bot.PermitSave(marketing))
	require.Nil(t, bot.PermitUse(marketing.ID, agent), "EX-130 sent")
	require.Equal(t, SavedReplyTypeForbidden, code(bot.PermitSave(agent)), "EX-130 tries to create")
	require.Equal(t, SavedReplyDeleteForbidden, code(PermitDeleteReply(Marketing)), "EX-131")
	bot.Module.Deleted = true
	r := bot.PermitUse(marketing.ID, agent)
	require.Equal(t, SavedReplyBotDeleted, code(r))
	require.Equal(t, "此預存回覆的機器人模組已被刪除", r.Text(), "MC-10")
}

func TestSavedReplyVisibility(t *testing.T) {
	t.Parallel()
	author, agent := uuid.New(), ReplyMember{ID: uuid.New(), Role: CSAgent, Store: "s"}
	require.Equal(t, SavedReplyNotVisible, code(draft(CustomReply, OnlyMyself).PermitUse(author, agent)), "RPL-03 only myself")
	require.Nil(t, draft(CustomReply, OnlyMyself).PermitUse(agent.ID, agent))
	require.Nil(t, draft(CustomReply, GivenRoles).PermitUse(author, agent))
	require.Nil(t, draft(CustomReply, GivenStores).PermitUse(author, agent))
	agent.Role, agent.Store = SalesStaff, ""
	require.Equal(t, SavedReplyNotVisible, code(draft(CustomReply, GivenRoles).PermitUse(author, agent)))
	require.Equal(t, SavedReplyNotVisible, code(draft(CustomReply, GivenStores).PermitUse(author, agent)))
}

func TestSavedReplyCheck(t *testing.T) {
	t.Parallel()
	with := func(kind SavedReplyKind, change func(*SavedReplyDraft)) SavedReplyDraft {
		d := draft(kind, AllMembers)
		change(&d)
		return d
	}
	for _, test := range []struct {
		name string
		d    SavedReplyDraft
		want Code
	}{
		{"complete", draft(CustomReply, AllMembers), ""},
		{"complete bot", draft(BotModule, AllMembers), ""},
		{"no topic", with(CustomReply, func(d *SavedReplyDraft) { d.Topic = " " }), InvalidInput},
		{"no role named", with(CustomReply, func(d *SavedReplyDraft) { d.Audience, d.Roles = GivenRoles, nil }), InvalidInput},
		{"unknown kind", with("x", func(*SavedReplyDraft) {}), InvalidInput},
		{"no content", with(CustomReply, func(d *SavedReplyDraft) { d.Contents = nil }), MessageEmpty},
		{"six contents", with(CustomReply, func(d *SavedReplyDraft) { d.Contents = words("1", "2", "3", "4", "5", "6") }), MessageEmpty},
		{"a reply in a reply", with(CustomReply, func(d *SavedReplyDraft) { d.Contents[0].Kind = SavedReply }), ContentUnsupported},
		{"an empty text", with(CustomReply, func(d *SavedReplyDraft) { d.Contents = words(" ") }), MessageEmpty},
		{"a bot with a text", with(BotModule, func(d *SavedReplyDraft) { d.Contents = words("x") }), InvalidInput},
		{"RPL-07 a bot on Webchat", with(BotModule, func(d *SavedReplyDraft) { d.Module.Channels = []Channel{Webchat} }), SavedReplyBotUnsupported},
		{"RPL-08 cart remarketing", with(BotModule, func(d *SavedReplyDraft) { d.Module.Type = UnusableModules[0] }), SavedReplyModuleTypeUnsupported},
		{"RPL-08 coupon card", with(BotModule, func(d *SavedReplyDraft) { d.Module.Type = UnusableModules[1] }), SavedReplyModuleTypeUnsupported},
		{"RPL-08 keyword card", with(BotModule, func(d *SavedReplyDraft) { d.Module.Type = UnusableModules[2] }), SavedReplyModuleTypeUnsupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(test.d.Check()))
		})
	}
}

func TestRPL05Limits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		kind MessageKind
		m    Media
		want Code
	}{
		{"EX-128 a PNG of 12 MB is compressed", Image, Media{Kind: Image, MIME: "image/png", Bytes: 12 * MB}, ""},
		{"EX-128 an mp4 of 17 MB", Video, sample(Video, 17*MB), MediaTooLarge},
		{"EX-128 a mov of 3 MB", Video, Media{Kind: Video, MIME: "video/quicktime", Bytes: 3 * MB}, MediaTypeUnsupported},
		{"EX-128 a file of 8 MB", File, sample(File, 8*MB), ""},
		{"an image of 50 MB is compressed", Image, sample(Image, 50*MB), ""},
		{"a GIF", Image, Media{MIME: "image/gif"}, MediaTypeUnsupported},
		{"a video of 16 MB", Video, sample(Video, 16*MB), ""},
		{"a video of more", Video, sample(Video, 16*MB+1), MediaTooLarge},
		{"a MOV", Video, Media{MIME: "video/quicktime"}, MediaTypeUnsupported},
		{"a file of 8 MB", File, sample(File, 8*MB), ""},
		{"a file of more", File, sample(File, 8*MB+1), MediaTooLarge},
	} {
		require.Equal(t, test.want, code(CheckReplyMedia(test.kind, test.m)), test.name)
	}
}
