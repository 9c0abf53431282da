package omniflow

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// MaxSavedReplyContents is how many contents one saved reply may hold.
const MaxSavedReplyContents = 5

// SavedReplyKind is how a saved reply is set up (RPL-04).
type SavedReplyKind string

// The kinds of a saved reply.
const (
	CustomReply SavedReplyKind = "custom"
	BotModule   SavedReplyKind = "bot_module"
)

// ReplyAudience is whom a saved reply applies to (RPL-03).
type ReplyAudience string

// The audiences of a saved reply.
const (
	AllMembers  ReplyAudience = "all_members"
	OnlyMyself  ReplyAudience = "only_myself"
	GivenRoles  ReplyAudience = "given_roles"
	GivenStores ReplyAudience = "given_stores"
)

// Module is a bot module that a saved reply sends (RPL-07). Bots are made
// elsewhere; Contents are what this one sends, as it was when the reply was
// saved. They cannot be edited (RPL-10).
type Module struct {
	Type     string    `json:"type"`
	Channels []Channel `json:"channels"` // those that it fits
	Deleted  bool      `json:"deleted,omitempty"`
	Contents []Content `json:"contents,omitempty" doc:"What it sends: up to 5 of text, image, video, file. Without them it cannot be broadcast."`
}

// UnusableModules are the types that no saved reply may use (RPL-08).
var UnusableModules = [...]string{"cart_remarketing_message", "coupon_card", "whatsapp_keyword_auto_assignment_card"}

// SavedReplyDraft is a saved reply as somebody wants to have it.
type SavedReplyDraft struct {
	Topic    string
	Kind     SavedReplyKind
	Audience ReplyAudience
	Roles    []Role   // of given_roles
	Stores   []string // of given_stores
	Contents []Content
	Module   *Module
}

// ReplyMember is a member as the rules of saved replies see one.
type ReplyMember struct {
	ID    uuid.UUID
	Role  Role
	Store string // the bound store of a sales role; "" for none
}

// PermitSave says whether m may create or edit d (RPL-20, D-RPL-1):
// saved_reply_type_forbidden, saved_reply_audience_forbidden.
func (d SavedReplyDraft) PermitSave(m ReplyMember) *Refusal {
	row, ok := replyGrants[m.Role]
	if !ok || !slices.Contains(row.kinds, d.Kind) {
		return Refuse(SavedReplyTypeForbidden, "RPL-20", "the role %q may not set up a saved reply of kind %s", m.Role, d.Kind)
	}
	forbidden := Refuse(SavedReplyAudienceForbidden, "RPL-20", "the role %q may not choose this audience", m.Role)
	grant, ok := row.audiences[d.Audience]
	switch {
	case !ok:
		return forbidden
	case d.Audience == GivenRoles && grant.roles != nil && !subset(d.Roles, grant.roles):
		return forbidden
	case d.Audience == GivenStores && grant.boundStore && !subset(d.Stores, []string{m.Store}):
		return forbidden
	}
	return nil
}

// PermitDeleteReply says whether role may delete saved replies (RPL-20):
// saved_reply_delete_forbidden.
func PermitDeleteReply(role Role) *Refusal {
	if row, ok := replyGrants[role]; ok && row.remove {
		return nil
	}
	return Refuse(SavedReplyDeleteForbidden, "RPL-20", "the role %q may not delete a saved reply", role)
}

// Visible says whether a saved reply of author applies to m (RPL-03, RPL-13).
func (d SavedReplyDraft) Visible(author uuid.UUID, m ReplyMember) bool {
	switch d.Audience {
	case AllMembers:
		return true
	case GivenRoles:
		return slices.Contains(d.Roles, m.Role)
	case GivenStores:
		return m.Store != "" && slices.Contains(d.Stores, m.Store)
	}
	return m.ID == author
}

// PermitUse says whether m may send a saved reply of author:
// saved_reply_not_visible, saved_reply_bot_deleted.
func (d SavedReplyDraft) PermitUse(author uuid.UUID, m ReplyMember) *Refusal {
	if !d.Visible(author, m) {
		return Refuse(SavedReplyNotVisible, "RPL-03", "the saved reply does not apply to this member")
	}
	if d.Module != nil && d.Module.Deleted {
		return Refuse(SavedReplyBotDeleted, "RPL-09", "the bot module of the saved reply has been deleted")
	}
	return nil
}

// Check says whether d is complete: input_invalid, message_empty, what
// Content.Check refuses, saved_reply_module_type_unsupported.
func (d SavedReplyDraft) Check() *Refusal {
	switch {
	case strings.TrimSpace(d.Topic) == "" || checkUnicode(d.Topic) != nil:
		return Refuse(InvalidInput, "RPL-01", "a saved reply needs a topic")
	case d.Audience == GivenRoles && len(d.Roles) == 0, d.Audience == GivenStores && len(d.Stores) == 0:
		return Refuse(InvalidInput, "RPL-03", "the audience names nobody")
	case d.Kind == BotModule:
		return d.checkModule()
	case d.Kind != CustomReply:
		return Refuse(InvalidInput, "RPL-04", "a saved reply is custom or bot_module")
	case d.Module != nil:
		return Refuse(InvalidInput, "RPL-04", "a custom saved reply has no bot module")
	}
	if len(d.Contents) == 0 {
		return Refuse(MessageEmpty, "RPL-05", "a saved reply has 1 to %d contents, not 0", MaxSavedReplyContents)
	}
	return checkReplyContents(d.Contents)
}

// checkReplyContents refuses what neither a custom reply nor a bot module
// sends.
func checkReplyContents(contents []Content) *Refusal {
	if n := len(contents); n > MaxSavedReplyContents {
		return Refuse(MessageEmpty, "RPL-05", "a saved reply has 1 to %d contents, not %d", MaxSavedReplyContents, n)
	}
	for _, c := range contents {
		if !slices.Contains(replyContents, c.Kind) {
			return Refuse(ContentUnsupported, "RPL-05", "a saved reply holds text, image, video and file")
		}
		if refusal := c.Check(); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (d SavedReplyDraft) checkModule() *Refusal {
	switch {
	case len(d.Contents) > 0 || d.Module == nil || d.Module.Type == "":
		return Refuse(InvalidInput, "RPL-04", "a bot-module saved reply holds one bot module and nothing else")
	case slices.Contains(UnusableModules[:], d.Module.Type):
		return Refuse(SavedReplyModuleTypeUnsupported, "RPL-08", "this type of bot module cannot be used")
	}
	for _, ch := range d.Module.Channels {
		if !slices.Contains(BroadcastChannels[:], ch) { // the same four: RPL-07
			return Refuse(SavedReplyBotUnsupported, "RPL-07", "a bot module cannot be used on %s", ch)
		}
	}
	return checkReplyContents(d.Module.Contents)
}

// Sends is what d sends: its own contents, or its bot module's.
func (d SavedReplyDraft) Sends() []Content {
	if d.Module != nil {
		return d.Module.Contents
	}
	return d.Contents
}

// replyContents are the kinds that a custom saved reply holds (RPL-05).
var replyContents = []MessageKind{Text, Image, Video, File}

// The limits of files in saved replies (RPL-05). A larger image is compressed.
const (
	MaxReplyImageBytes = 5 * MB
	maxReplyVideo      = 16 * MB
	maxReplyFile       = 8 * MB
)

// CheckReplyMedia checks a file of a saved reply (RPL-05, D-RPL-1):
// media_type_unsupported, media_too_large. An image of any size will do.
func CheckReplyMedia(kind MessageKind, m Media) *Refusal {
	switch {
	case kind == Image && !slices.Contains(pictures, m.MIME):
		return Refuse(MediaTypeUnsupported, "RPL-05", "an image of a saved reply is PNG, JPG or JPEG, not %s", m.MIME)
	case kind == Video && m.MIME != "video/mp4":
		return Refuse(MediaTypeUnsupported, "RPL-05", "a video of a saved reply is mp4, not %s", m.MIME)
	case kind == Video && m.Bytes > maxReplyVideo:
		return Refuse(MediaTooLarge, "RPL-05", "a video of a saved reply has at most %d MB", maxReplyVideo/MB)
	case kind == File && m.Bytes > maxReplyFile:
		return Refuse(MediaTooLarge, "RPL-05", "a file of a saved reply has at most %d MB", maxReplyFile/MB)
	}
	return nil
}

func subset[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(v T) bool { return !slices.Contains(whole, v) })
}
