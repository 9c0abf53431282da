package omniflow

import "slices"

// Role is what a member of a team is there (ROL-01).
type Role string

// The eight roles. The sales roles exist only in teams on the OMO plan (ROL-02).
const (
	Administrator Role = "administrator"
	Supervisor    Role = "supervisor"
	CSManager     Role = "cs_manager"
	CSAgent       Role = "cs_agent"
	MarketingCS   Role = "marketing_cs"
	Marketing     Role = "marketing"
	SalesManager  Role = "sales_manager"
	SalesStaff    Role = "sales_staff"
)

// Roles lists every role in the order of the columns of ROL-05.
var Roles = [...]Role{Administrator, Supervisor, CSManager, CSAgent, MarketingCS, Marketing, SalesManager, SalesStaff}

// AdminTypeRoles is the set that the collaboration rules call admin-type (ROL-03).
var AdminTypeRoles = [...]Role{Administrator, Supervisor, CSManager, MarketingCS}

// SalesRoles is the set that may broadcast (BRD-01).
var SalesRoles = [...]Role{SalesManager, SalesStaff}

// ParseRole reads a role's identifier. Anything else is refused with role_invalid.
func ParseRole(s string) (Role, *Refusal) {
	if r := Role(s); slices.Contains(Roles[:], r) {
		return r, nil
	}
	return "", Refuse(InvalidRole, "ROL-01", "the role must be one of the eight of the team: administrator, supervisor, cs_manager, cs_agent, marketing_cs, marketing, sales_manager or sales_staff")
}

// AdminType says whether r is one of AdminTypeRoles.
func (r Role) AdminType() bool { return slices.Contains(AdminTypeRoles[:], r) }

// Sales says whether r is one of SalesRoles.
func (r Role) Sales() bool { return slices.Contains(SalesRoles[:], r) }

// roleNames are the Chinese names that texts of section 26 print (ROL-01, COL-11).
var roleNames = map[Role]string{
	Administrator: "管理員",
	Supervisor:    "主管",
	CSManager:     "客服經理",
	CSAgent:       "客服人員",
	MarketingCS:   "行銷客服",
	Marketing:     "行銷人員",
	SalesManager:  "銷售經理",
	SalesStaff:    "銷售人員",
}

// Name is the Chinese name of r as notifications print it, or "" for no role.
func (r Role) Name() string { return roleNames[r] }
