package omniflow

// replyGrant is one row of RPL-20. Everybody in it may edit, and so create
// (D-RPL-1).
type replyGrant struct {
	kinds     []SavedReplyKind
	audiences map[ReplyAudience]audienceGrant
	remove    bool // may delete
}

// audienceGrant narrows an audience; the zero value does not.
type audienceGrant struct {
	roles      []Role // given_roles may name these; nil: any
	boundStore bool   // given_stores may name the member's own store only
}

var (
	customOnly   = []SavedReplyKind{CustomReply}
	customAndBot = []SavedReplyKind{CustomReply, BotModule}
	everyone     = map[ReplyAudience]audienceGrant{AllMembers: {}, OnlyMyself: {}, GivenRoles: {}, GivenStores: {}}
	ownStore     = map[ReplyAudience]audienceGrant{OnlyMyself: {}, GivenStores: {boundStore: true}}
)

// replyGrants is RPL-20. Source: 004:67-80.
var replyGrants = map[Role]replyGrant{
	Administrator: {customAndBot, everyone, true},
	Supervisor: {customAndBot, map[ReplyAudience]audienceGrant{AllMembers: {}, OnlyMyself: {},
		GivenRoles: {roles: []Role{Supervisor, CSManager, CSAgent, SalesManager, SalesStaff, Marketing}}}, true},
	CSManager: {customAndBot, map[ReplyAudience]audienceGrant{OnlyMyself: {},
		GivenRoles: {roles: []Role{CSManager, CSAgent}}}, true},
	CSAgent: {customOnly, map[ReplyAudience]audienceGrant{OnlyMyself: {},
		GivenRoles: {roles: []Role{CSAgent}}}, true},
	SalesManager: {customOnly, ownStore, true},
	SalesStaff:   {customOnly, ownStore, true},
	Marketing: {customAndBot, map[ReplyAudience]audienceGrant{AllMembers: {},
		GivenRoles: {roles: []Role{Administrator, Supervisor, CSManager, CSAgent, SalesManager, SalesStaff, Marketing}}}, false},
	MarketingCS: {customAndBot, everyone, true},
}
