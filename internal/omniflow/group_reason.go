package omniflow

// The other codes of sections 10 and 11.
const (
	GroupTextEmoji          Code = "group_text_emoji"
	GroupMembersRequired    Code = "group_members_required"
	GroupMembersLimit       Code = "group_members_limit"
	GroupNotApproved        Code = "group_not_approved"
	GroupViewNotAllowed     Code = "group_view_not_allowed"
	GroupWasDeleted         Code = "group_deleted"
	GroupChangeUnderWay     Code = "group_change_under_way" // one change of a kind at a time
	PhoneDuplicate          Code = "phone_duplicate"
	MemberNotFound          Code = "member_not_found"
	MemberAlreadyRemoving   Code = "member_already_removing"
	MemberNotRetryable      Code = "member_not_retryable"
	JoinNotRequested        Code = "join_not_requested"
	ReceiverInvalid         Code = "receiver_invalid"
	ReceiverNotCollaborator Code = "receiver_not_collaborator"
	CollaboratorCannotClose Code = "collaborator_cannot_close"
	BulkTransferUnsupported Code = "bulk_transfer_unsupported"
	LegacyUnsupported       Code = "legacy_console_unsupported"
	InviteTemplateMissing   Code = "invite_template_missing" // the template of the team's settings is not approved here

	// Reasons of a group that failed and of a member's state.
	ReviewTimeout  Code = "review_timeout" // D-GRP-4
	ReviewRefused  Code = "review_refused" // the provider gave no better reason
	InviteExpired  Code = "invite_expired" // D-MEM-3
	RemoveTimeout  Code = "remove_timeout" // D-MEM-3
	JoinRejected   Code = "join_rejected"  // we did not let them in
	JoinRevoked    Code = "join_revoked"   // they took their request back
	MemberLeft     Code = "left"           // D-MEM-4
	RemovedByUs    Code = "removed"
	Withdrawn      Code = "invitation_withdrawn" // removed before they joined
	JoinedByLink   Code = "joined_by_link"       // a number that nobody added
	AsksToJoin     Code = "asks_to_join"         // a number that nobody added, and that waits for a decision
	ChangeTimeout  Code = "change_timeout"
	GroupUnknown   Code = "group_unknown"   // reason of a dead letter
	RequestUnknown Code = "request_unknown" // reason of a dead letter: no answer ever named this request
)
