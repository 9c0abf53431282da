package whatsapp

import (
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// table is the error catalogue of section 5.6 and of section 3.7 (groups).
// Subcodes are ignored but for one: section 1.3.
var table = graph.Table{Rules: rules, IgnoreSubcodes: true, Family: family}

// family is the rule of a code that is not in the catalogue: terminal for the
// message (section 5.6, "unknown 4xx with envelope"), but for the permission
// codes, which are a range.
func family(code, _ int) channel.Rule {
	if code >= 200 && code <= 299 {
		return channel.Stop(omniflow.AccountStopped)
	}
	return channel.Terminal(omniflow.ProviderRejected)
}

var rules = map[string]channel.Rule{
	// R: refused before processing. 131056 slows one pair only (section 5.2);
	// 131208 is about calls that change groups, never about messages (section 3.7).
	"4":       channel.Throttle(channel.ScopeAccount, time.Minute),
	"80007":   channel.Throttle(channel.ScopeAccount, time.Minute),
	"80008":   channel.Throttle(channel.ScopeAccount, time.Minute),
	"130429":  channel.Throttle(channel.ScopeAccount, time.Second),
	"131056":  channel.Throttle(channel.ScopeMessage, 4*time.Second),
	"131057":  channel.Throttle(channel.ScopeAccount, 10*time.Second),
	"131208":  channel.Throttle(channel.ScopeMessage, 30*time.Second),
	"134101":  channel.Throttle(channel.ScopeTemplate, 10*time.Minute),
	"2494100": channel.Throttle(channel.ScopeAccount, time.Minute),

	// A: may have been sent.
	"1":      channel.Lost(),
	"2":      channel.Lost(),
	"131000": channel.Lost(),
	"131016": channel.Lost(),
	"133004": channel.Lost(),

	// C: stops the account. 100/33 is about the id in the path, which is ours
	// (section 1.2).
	"0":      channel.Stop(omniflow.AccountStopped),
	"3":      channel.Stop(omniflow.AccountStopped),
	"10":     channel.Stop(omniflow.AccountStopped),
	"33":     channel.Stop(omniflow.AccountStopped),
	"100/33": channel.Stop(omniflow.AccountStopped),
	"190":    channel.Stop(omniflow.AccountStopped),
	"368":    channel.Stop(omniflow.AccountStopped),
	"131005": channel.Stop(omniflow.AccountStopped),
	"131031": channel.Stop(omniflow.AccountStopped),
	"131037": channel.Stop(omniflow.AccountStopped),
	"131042": channel.Stop(omniflow.AccountStopped),
	"131045": channel.Stop(omniflow.AccountStopped),
	"131048": channel.Stop(omniflow.AccountStopped),
	"131063": channel.Stop(omniflow.AccountStopped),
	"131064": channel.Stop(omniflow.AccountStopped),
	"133000": channel.Stop(omniflow.AccountStopped),
	"133005": channel.Stop(omniflow.AccountStopped),
	"133006": channel.Stop(omniflow.AccountStopped),
	"133008": channel.Stop(omniflow.AccountStopped),
	"133009": channel.Stop(omniflow.AccountStopped),
	"133010": channel.Stop(omniflow.AccountStopped),
	"133015": channel.Stop(omniflow.AccountStopped),
	"133016": channel.Stop(omniflow.AccountStopped),
	"134011": channel.Stop(omniflow.AccountStopped),
	"134102": channel.Stop(omniflow.AccountStopped),

	// C for a template or its flow.
	"132001": channel.StopTemplate(omniflow.TemplateInvalid),
	"132015": channel.StopTemplate(omniflow.TemplatePaused),
	"132016": channel.StopTemplate(omniflow.TemplatePaused),
	"132068": channel.StopTemplate(omniflow.TemplateInvalid),
	"132069": channel.StopTemplate(omniflow.TemplateInvalid),

	// T: terminal for this message.
	"100":    channel.Terminal(omniflow.ProviderRejected),
	"130403": channel.Terminal(omniflow.CustomerBlocked),
	"130472": channel.Terminal(omniflow.ProviderRejected),
	"130497": channel.Terminal(omniflow.ProviderRejected),
	"130501": channel.Terminal(omniflow.ContentUnsupported),
	"131008": channel.Terminal(omniflow.ProviderRejected),
	"131009": channel.Terminal(omniflow.ProviderRejected),
	"131021": channel.Terminal(omniflow.ProviderRejected),
	"131026": channel.Terminal(omniflow.Unreachable),
	"131030": channel.Terminal(omniflow.ProviderRejected),
	"131047": channel.Terminal(omniflow.WindowClosed),
	"131049": channel.Terminal(omniflow.ProviderRejected),
	"131050": channel.Terminal(omniflow.OptedOut),
	"131051": channel.Terminal(omniflow.ContentUnsupported),
	"131052": channel.Terminal(omniflow.ProviderRejected),
	"131053": channel.Terminal(omniflow.ProviderRejected),
	"131055": channel.Terminal(omniflow.ProviderRejected),
	"131062": channel.Terminal(omniflow.ProviderRejected),
	"132000": channel.Terminal(omniflow.TemplateInvalid),
	"132005": channel.Terminal(omniflow.TemplateInvalid),
	"132007": channel.Terminal(omniflow.ProviderRejected),
	"132008": channel.Terminal(omniflow.TemplateInvalid),
	"132012": channel.Terminal(omniflow.TemplateInvalid),
	"132018": channel.Terminal(omniflow.TemplateInvalid),
	"134100": channel.Terminal(omniflow.ProviderRejected),
	"135000": channel.Terminal(omniflow.ProviderRejected),
	"137000": channel.Terminal(omniflow.ProviderRejected),

	// Definition of templates: subcodes, or codes of their own.
	"2388019": channel.Terminal(omniflow.TemplateInvalid),
	"2388040": channel.Terminal(omniflow.TemplateInvalid),
	"2388047": channel.Terminal(omniflow.TemplateInvalid),
	"2388072": channel.Terminal(omniflow.TemplateInvalid),
	"2388073": channel.Terminal(omniflow.TemplateInvalid),
	"2388293": channel.Terminal(omniflow.TemplateInvalid),
	"2388299": channel.Terminal(omniflow.TemplateInvalid),

	// Groups, section 3.7. Only group calls get these. 131208 is above. None
	// stops the account: a number that may have no groups (131215) still talks
	// one to one.
	"131020": channel.Terminal(omniflow.GroupEmpty),
	"131041": channel.Terminal(omniflow.NotFound),
	"131059": channel.Terminal(omniflow.GroupListCursorExpired),
	"131201": channel.Terminal(omniflow.GroupPartlyDone),
	"131202": channel.Terminal(omniflow.GroupMemberDuplicate),
	"131203": channel.Terminal(omniflow.GroupTermsOutdated),
	"131204": channel.Terminal(omniflow.GroupFull),
	"131207": channel.Terminal(omniflow.GroupSuspended),
	"131209": channel.Terminal(omniflow.GroupPictureInvalid),
	"131210": channel.Terminal(omniflow.GroupPictureInvalid),
	"131211": channel.Terminal(omniflow.GroupLimitReached),
	"131212": channel.Terminal(omniflow.GroupNotMember),
	"131213": channel.Terminal(omniflow.GroupJoinRequestGone),
	"131214": channel.Terminal(omniflow.GroupCreationDisabled),
	"131215": channel.Terminal(omniflow.GroupNotEligible),
}

// failure is the meaning of an error in a failed status. Such a message is
// failed for good, so what would be ambiguous in an answer is not here
// (section 5.6, 131000).
func failure(code int) *channel.Error {
	r := table.Rule(code, 0)
	if r.Fault == channel.Ambiguous {
		r = channel.Terminal(omniflow.ProviderRejected)
	}
	return r.Error(table.Name(code, 0), 0)
}
