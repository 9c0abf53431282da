package omniflow

import "slices"

// Action is what a member asks to do: one row of ROL-05.
type Action string

// The rows of ROL-05, in its order, then one row that another rule adds.
const (
	UseWhatsAppGroups          Action = "use_whatsapp_groups" // create, view the conversation, view the member list
	ChangeWhatsAppGroupMembers Action = "change_whatsapp_group_members"
	FollowWhatsAppGroup        Action = "follow_whatsapp_group" // from team events
	ReopenWhatsAppGroup        Action = "reopen_whatsapp_group" // from team events
	TransferOrEndWhatsAppGroup Action = "transfer_or_end_whatsapp_group"
	ReceiveWhatsAppGroup       Action = "receive_whatsapp_group"
	UseLINEGroups              Action = "use_line_groups"
	FollowPendingLINEGroup     Action = "follow_pending_line_group" // from pending-human
	FollowTeamLINEGroup        Action = "follow_team_line_group"    // from team handling
	TransferLINEGroup          Action = "transfer_line_group"
	EndPendingLINEGroup        Action = "end_pending_line_group"
	EndHandlingLINEGroup       Action = "end_handling_line_group"
	ReopenMyLINEGroup          Action = "reopen_my_line_group"   // from my closed
	ReopenTeamLINEGroup        Action = "reopen_team_line_group" // from team closed
	BulkTransfer               Action = "bulk_transfer"
	DeleteOrBlacklist          Action = "delete_or_blacklist" // default set; ROL-06 extra_delete_roles adds to it
	AddCollaborators           Action = "add_collaborators"
	JoinCollaboration          Action = "join_collaboration"
	RemoveCollaborators        Action = "remove_collaborators"
	TakeOverCollaboration      Action = "take_over_collaboration"
	ReopenTeamCollaboration    Action = "reopen_team_collaboration" // from team closed
	Broadcast                  Action = "broadcast"                 // messages, templates and bound customers
	ViewTeamCustomerList       Action = "view_team_customer_list"
	ExportConversation         Action = "export_conversation"
	UnbindCustomer             Action = "unbind_customer"
	BatchTag                   Action = "batch_tag" // social contacts
	ViewSalesStatistics        Action = "view_sales_statistics"
	ManageSavedReplies         Action = "manage_saved_replies"     // what exactly: RPL-20
	EndPendingConversation     Action = "end_pending_conversation" // one-to-one: D-CNV-2
)

// Relation is what a member is to one conversation. The zero value is nothing,
// as for an action that is about no conversation.
type Relation struct {
	Follower     bool
	Collaborator bool
}

// Grant is one cell of ROL-05. Conditions combine: IfFollower|IfCollaborator
// is the cell "F or C".
type Grant uint8

// The cells of ROL-05: "-", Y, F and C.
const (
	Refused Grant = 0
	Allowed Grant = 1 << iota
	IfFollower
	IfCollaborator
)

// permission is one row of ROL-05.
type permission struct {
	grants [len(Roles)]Grant // by column, in the order of Roles
	source string            // citation of the seed, or the rule that decides
	// refusal replaces not_follower and not_collaborator where section 15 has
	// one code for whoever may not do it.
	refusal Code
}

// grant gives the cell of role r, Refused for what is no role.
func (p permission) grant(r Role) Grant {
	if i := slices.Index(Roles[:], r); i >= 0 {
		return p.grants[i]
	}
	return Refused
}

// GrantOf gives the cell of ROL-05 for action and role; Refused for an
// unknown one (ROL-04).
func GrantOf(action Action, role Role) Grant { return permissions[action].grant(role) }

// Permit says whether a member with role, who is r to the conversation, may do
// action (ROL-04, ROL-05): nil, or permission_denied, not_follower (an F cell)
// or not_collaborator (a C cell). State, plan and flags are other checks.
func Permit(action Action, role Role, r Relation) *Refusal {
	row := permissions[action]
	g := row.grant(role)
	switch {
	case g&Allowed != 0, g&IfFollower != 0 && r.Follower, g&IfCollaborator != 0 && r.Collaborator:
		return nil
	case g == Refused:
		return Refuse(PermissionDenied, "ROL-05", "the role %q may not %s", role, action)
	case row.refusal != "":
		return Refuse(row.refusal, "ROL-05", "the role %q may %s only as a participant who is entitled to", role, action)
	case g&IfFollower != 0:
		return Refuse(NotFollower, "ROL-05", "only the follower of the conversation may %s", action)
	}
	return Refuse(NotCollaborator, "ROL-05", "only a collaborator of the conversation may %s", action)
}
