package omniflow

// The codes of WhatsApp groups: refusals of our own check, and reasons why the
// provider did not do what was asked.
const (
	GroupNameRequired       Code = "group_name_required"        // GRP-06
	GroupNameTooLong        Code = "group_name_too_long"        // GRP-06
	GroupDescriptionTooLong Code = "group_description_too_long" // GRP-07
	GroupContentUnsupported Code = "group_content_unsupported"  // GRP-25

	GroupEmpty             Code = "group_empty"               // nobody joined yet: wait for a join, not for a time
	GroupSuspended         Code = "group_suspended"           // until the provider restores it
	GroupFull              Code = "group_full"                // 8 members at most
	GroupLimitReached      Code = "group_limit_reached"       // the number has as many groups as it may
	GroupCreationDisabled  Code = "group_creation_disabled"   // not before 24 h: too much marketing in open windows
	GroupNotEligible       Code = "group_not_eligible"        // the number may have no groups at all
	GroupNotMember         Code = "group_not_member"          // for a removal the same as done
	GroupMemberDuplicate   Code = "group_member_duplicate"    // one person twice in a call
	GroupTermsOutdated     Code = "group_terms_outdated"      // the person has not accepted the newer terms
	GroupJoinRequestGone   Code = "group_join_request_gone"   // decided or taken back already: look at the members
	GroupPartlyDone        Code = "group_partly_done"         // the failures are told one by one
	GroupPictureInvalid    Code = "group_picture_invalid"     // not square, or smaller than 192 x 192
	GroupListCursorExpired Code = "group_list_cursor_expired" // start the list anew
)
