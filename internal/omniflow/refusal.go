package omniflow

import "fmt"

// Code names a refusal or the reason of an outcome. It is stable: clients,
// operators and tests compare codes, never texts.
type Code string

// The codes of refusals and outcomes, in the words of the specification.
const (
	PermissionDenied Code = "permission_denied" // ROL-04: the role may not do this
	PlanRequired     Code = "plan_required"     // ROL-07: the team's plan lacks the function
	FeatureDisabled  Code = "feature_disabled"  // ROL-06: the team's flag is off
	ActorInactive    Code = "actor_inactive"    // D-ROL-4
	NotFollower      Code = "not_follower"      // an F cell of ROL-05
	NotCollaborator  Code = "not_collaborator"  // a C cell of ROL-05
	NotParticipant   Code = "not_participant"   // COL-05: neither follower nor collaborator
	NotFound         Code = "not_found"         // SYS-13: also what belongs to another team
	InvalidRole      Code = "role_invalid"
	InvalidInput     Code = "input_invalid"
	BadQuery         Code = "bad_query" // section 7: an unknown filter or sort value

	BroadcastEmpty              Code = "broadcast_empty"
	RecipientNotAllowed         Code = "recipient_not_allowed"
	BroadcastChannelUnsupported Code = "broadcast_channel_unsupported"
	BroadcastMessageCount       Code = "broadcast_message_count"
	BroadcastContentUnsupported Code = "broadcast_content_unsupported"
	BroadcastWABAConflict       Code = "broadcast_waba_conflict"
	BroadcastCrossChannel       Code = "broadcast_cross_channel"
	BroadcastFinished           Code = "broadcast_finished"
	TemplateInvalid             Code = "template_invalid"
	MessageEmpty                Code = "message_empty"
	MessageTooLong              Code = "message_too_long"
	ContentUnsupported          Code = "content_unsupported"
	RateInvalid                 Code = "rate_invalid"
	MediaKindUnsupported        Code = "media_kind_unsupported" // an ✕ of FIL-01
	MediaTypeUnsupported        Code = "media_type_unsupported"
	MediaTooLarge               Code = "media_too_large"
	MediaLinkUnavailable        Code = "media_link_unavailable" // no public address that the provider can fetch from
	MediaUnavailable            Code = "media_unavailable"      // FIL-08: the provider does not give a customer's file
	QuoteUnsupported            Code = "quote_unsupported"      // QUO-02: only WhatsApp quotes
	StickerUnsupported          Code = "sticker_channel_unsupported"
	StickerAddonRequired        Code = "sticker_addon_required" // STK-01: WhatsApp's stickers are a paid add-on

	ProductsRequired Code = "products_required" // REF-06: a shopping link without a link

	SavedReplyFileUnsupported       Code = "saved_reply_file_unsupported"
	SavedReplyBotUnsupported        Code = "saved_reply_bot_unsupported"
	SavedReplyBotDeleted            Code = "saved_reply_bot_deleted"
	SavedReplyNotVisible            Code = "saved_reply_not_visible"
	SavedReplyTypeForbidden         Code = "saved_reply_type_forbidden"
	SavedReplyAudienceForbidden     Code = "saved_reply_audience_forbidden"
	SavedReplyDeleteForbidden       Code = "saved_reply_delete_forbidden"
	SavedReplyModuleTypeUnsupported Code = "saved_reply_module_type_unsupported"

	WindowTemplateOnly   Code = "window_template_only"
	WindowNonPromotional Code = "window_non_promotional"
	WindowClosed         Code = "window_closed"

	// Reasons of a skipped, failed or unknown message.
	NoLongerHandling  Code = "no_longer_handling" // BRD-02, checked again at the send
	NoLongerBound     Code = "no_longer_bound"    // BRD-11, checked again at the send
	CustomerBlocked   Code = "customer_blocked"   // blocked by us
	MediaNotReady     Code = "media_not_ready"    // the lane's files are not at the provider yet
	MediaRejected     Code = "media_rejected"     // the provider refuses a file of the lane
	PreviousNotSent   Code = "previous_not_sent"  // BRD-05: an earlier message of this recipient failed
	OutcomeUnknown    Code = "outcome_unknown"    // handed to the network, answer never learned
	NotHandedOver     Code = "not_handed_over"    // claimed, proven never sent
	RetriesExhausted  Code = "retries_exhausted"  // SYS-05
	Unreachable       Code = "recipient_unreachable"
	ProviderRejected  Code = "provider_rejected" // the provider refuses this message for good
	AccountStopped    Code = "account_stopped"   // a stop code of the account
	QuotaExhausted    Code = "quota_exhausted"   // LINE's monthly quota
	TemplatePaused    Code = "template_paused"   // WhatsApp 132015, 132016
	ProviderThrottled Code = "provider_throttled"
	ProviderDown      Code = "provider_unavailable"
	OptedOut          Code = "opted_out"

	QuotedMessageNotFound Code = "quoted_message_not_found" // section 20
	MessageNotFailed      Code = "message_not_failed"       // MSG-01: only a failed message is sent again

	VersionConflict Code = "version_conflict" // SYS-04: somebody has changed it meanwhile

	InvalidTransition  Code = "invalid_transition"   // section 2: the state does not allow the event
	ReceiverIsFollower Code = "receiver_is_follower" // section 2: a transfer to oneself
	ReceiverInactive   Code = "receiver_inactive"    // section 2
	PinNotAllowed      Code = "pin_not_allowed"      // PIN-01

	SignatureInvalid      Code = "signature_invalid"
	BodyTooLarge          Code = "body_too_large"
	CSVInvalid            Code = "csv_invalid"
	CSVColumnMissing      Code = "csv_column_missing"
	PhoneInvalid          Code = "phone_invalid"
	CountryRequired       Code = "country_required"
	PhoneNotMobile        Code = "phone_not_mobile" // a valid number that no mobile has: WhatsApp needs one
	ChannelUnknown        Code = "channel_unknown"
	ChannelUserIDInvalid  Code = "channel_user_id_invalid"
	TimeInvalid           Code = "time_invalid"
	EmailInvalid          Code = "email_invalid"
	CountryInvalid        Code = "country_invalid"     // no ISO 3166 code: the row is kept without it
	ColumnUnknown         Code = "column_unknown"      // a column of the header that nothing reads
	FieldCount            Code = "field_count"         // a row with more or fewer fields than the header
	ContactKeyMissing     Code = "contact_key_missing" // IMP: a row without customer id
	DuplicateCustomer     Code = "duplicate_customer"
	DuplicateIdentity     Code = "duplicate_identity"
	ChannelAccountInvalid Code = "channel_account_invalid"
)

// textKeys are the texts of section 26 that go with a code. A code that is not
// here has no text in the seeds.
var textKeys = map[Code]TextKey{
	WindowTemplateOnly:    TextWAWindowClosed, // D-WIN-3
	WindowNonPromotional:  TextFBNonPromotionalOnly,
	WindowClosed:          TextFBWindowClosed,
	BroadcastWABAConflict: TextBroadcastWABAConflict,

	SavedReplyFileUnsupported: TextSavedReplyFileUnsupported,
	SavedReplyBotUnsupported:  TextSavedReplyBotUnsupported,
	SavedReplyBotDeleted:      TextSavedReplyBotDeleted,
}

// Text is the text of section 26 shown with c, or "" where the seeds give none.
func (c Code) Text() string { return textKeys[c].Text() }

// Refusal is a rule that says no. Nothing was changed and nothing sent.
type Refusal struct {
	Code   Code
	Rule   string // id in the specification, such as "BRD-05"
	Detail string // English, for the person who asked; never holds a customer's data
	// Channels are those that the refusal is about, where it is about channels.
	Channels []Channel
	// Key names the text of section 26 to show instead of the code's own.
	Key TextKey
}

// Text is the Chinese text of section 26 shown with the refusal, or "" where
// the seeds give none.
func (r *Refusal) Text() string {
	if r.Key != "" {
		return r.Key.Text()
	}
	return r.Code.Text()
}

// Refuse makes a Refusal; format and args give its Detail.
func Refuse(code Code, rule, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// Error says the code, the detail and the rule.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %s (%s)", r.Code, r.Detail, r.Rule)
}
