package omniflow

import (
	"slices"
	"time"
)

// Plan is what a team pays for, as far as rules depend on it (ROL-07).
type Plan string

// The plans. OMO includes everything that Standard does.
const (
	Standard Plan = "standard"
	OMO      Plan = "omo"
)

// Flag is a function that is switched on team by team; every one is off by
// default (ROL-06).
type Flag string

// The flags of a team.
const (
	WhatsAppGroupEnabled      Flag = "whatsapp_group_enabled"
	CollaborationEnabled      Flag = "collaboration_enabled"
	ConversationExportEnabled Flag = "conversation_export_enabled"
	WhatsAppStickerEnabled    Flag = "whatsapp_sticker_enabled"
	ShoppingLinkEnabled       Flag = "shopping_link_enabled"
)

// Flags lists every flag.
var Flags = [...]Flag{WhatsAppGroupEnabled, CollaborationEnabled, ConversationExportEnabled, WhatsAppStickerEnabled, ShoppingLinkEnabled}

// UnknownPolicy is what a team wants done with a message whose outcome was
// never learned, once ReconcileAfter has passed (design section 4).
type UnknownPolicy string

// The policies. Prove sends again only when it is proven that the provider
// never took the message; Fail gives up; Resend sends again at once.
const (
	Prove  UnknownPolicy = "prove"
	Fail   UnknownPolicy = "fail"
	Resend UnknownPolicy = "resend"
)

// Defaults of a team.
const (
	DefaultTimezone       = "Asia/Taipei" // D-FIL-5
	DefaultReconcileAfter = 10 * time.Minute
	DefaultGiveUpAfter    = 24 * time.Hour
	// MinReconcileAfter is longer than any call of an attempt can last (10 s
	// from its claim), and leaves its webhook time to arrive.
	MinReconcileAfter = 15 * time.Second
)

// Team is what rules need to know about a team.
type Team struct {
	Plan           Plan
	Flags          []Flag
	DeleteRoles    []Role // extra_delete_roles: may delete and blacklist besides DeleteOrBlacklist
	OnUnknown      UnknownPolicy
	ReconcileAfter time.Duration
	GiveUpAfter    time.Duration
}

// ParsePlan reads a plan's identifier, "" being Standard; else input_invalid.
func ParsePlan(s string) (Plan, *Refusal) {
	switch p := Plan(s); p {
	case "":
		return Standard, nil
	case Standard, OMO:
		return p, nil
	}
	return "", Refuse(InvalidInput, "ROL-07", "the plan must be standard or omo")
}

// ParseUnknownPolicy reads a policy's identifier, "" being Prove; else input_invalid.
func ParseUnknownPolicy(s string) (UnknownPolicy, *Refusal) {
	switch p := UnknownPolicy(s); p {
	case "":
		return Prove, nil
	case Prove, Fail, Resend:
		return p, nil
	}
	return "", Refuse(InvalidInput, "D-MSG-4", "on_unknown must be prove, fail or resend")
}

// ParseFlags reads identifiers of flags, each once; one that is unknown is
// refused with input_invalid.
func ParseFlags(names []string) ([]Flag, *Refusal) {
	flags := make([]Flag, 0, len(names))
	for _, n := range names {
		f := Flag(n)
		if !slices.Contains(Flags[:], f) {
			return nil, Refuse(InvalidInput, "ROL-06", "a flag must be one of %v", Flags)
		}
		if !slices.Contains(flags, f) {
			flags = append(flags, f)
		}
	}
	return flags, nil
}

// RequirePlan refuses with plan_required unless have includes want.
func RequirePlan(have, want Plan) *Refusal {
	if want == OMO && have != OMO {
		return Refuse(PlanRequired, "ROL-07", "the plan of this team lacks the function; it needs %s", want)
	}
	return nil
}

// RequireFlag refuses with feature_disabled unless the team has f.
func (t Team) RequireFlag(f Flag) *Refusal {
	if slices.Contains(t.Flags, f) {
		return nil
	}
	return Refuse(FeatureDisabled, "ROL-06", "%s is off for this team", f)
}

// PermitRole refuses a role that exists only in OMO teams in another one (ROL-02).
func (t Team) PermitRole(r Role) *Refusal {
	if r.Sales() && t.Plan != OMO {
		return Refuse(PlanRequired, "ROL-02", "sales manager and sales staff exist only in teams on the OMO plan")
	}
	return nil
}

// PermitDelete says whether role may delete conversations and blacklist
// customers: the default set and the team's extra roles (DEL-04, X-10).
func (t Team) PermitDelete(role Role) *Refusal {
	if slices.Contains(t.DeleteRoles, role) {
		return nil
	}
	return Permit(DeleteOrBlacklist, role, Relation{})
}
