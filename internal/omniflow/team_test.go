package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	for _, r := range Roles {
		got, refusal := ParseRole(string(r))
		require.Nil(t, refusal)
		require.Equal(t, r, got)
		require.NotEmpty(t, r.Name())
	}
	for _, s := range []string{"", "Administrator", "owner", "sales_staff "} {
		_, refusal := ParseRole(s)
		require.Equal(t, InvalidRole, code(refusal))
	}
	require.True(t, MarketingCS.AdminType())
	require.False(t, CSAgent.AdminType())
	require.True(t, SalesManager.Sales())
	require.False(t, Marketing.Sales())
	require.Equal(t, "管理員", Administrator.Name()) // COL-11
}

func TestTeamParsers(t *testing.T) {
	t.Parallel()
	plan, refusal := ParsePlan("")
	require.Nil(t, refusal)
	require.Equal(t, Standard, plan)
	plan, _ = ParsePlan("omo")
	require.Equal(t, OMO, plan)
	_, refusal = ParsePlan("OMO")
	require.Equal(t, InvalidInput, code(refusal))

	policy, refusal := ParseUnknownPolicy("")
	require.Nil(t, refusal)
	require.Equal(t, Prove, policy)
	policy, _ = ParseUnknownPolicy("resend")
	require.Equal(t, Resend, policy)
	_, refusal = ParseUnknownPolicy("retry")
	require.Equal(t, InvalidInput, code(refusal))

	flags, refusal := ParseFlags([]string{"collaboration_enabled", "whatsapp_group_enabled", "collaboration_enabled"})
	require.Nil(t, refusal)
	require.Equal(t, []Flag{CollaborationEnabled, WhatsAppGroupEnabled}, flags)
	_, refusal = ParseFlags([]string{"everything"})
	require.Equal(t, InvalidInput, code(refusal))
}

func TestTeamEntitlements(t *testing.T) {
	t.Parallel()
	team := Team{Plan: Standard, Flags: []Flag{WhatsAppGroupEnabled}, DeleteRoles: []Role{CSManager}}
	require.Nil(t, team.RequireFlag(WhatsAppGroupEnabled))
	require.Equal(t, FeatureDisabled, code(team.RequireFlag(CollaborationEnabled)))
	require.Equal(t, PlanRequired, code(team.PermitRole(SalesStaff)), "ROL-02")
	require.Nil(t, team.PermitRole(Marketing))
	require.Nil(t, Team{Plan: OMO}.PermitRole(SalesManager))
	require.Nil(t, RequirePlan(OMO, Standard))
	require.Equal(t, PlanRequired, code(RequirePlan(Standard, OMO)))
	require.Nil(t, team.PermitDelete(CSManager), "EX-057 once the team allows it")
	require.Nil(t, team.PermitDelete(Supervisor))
	require.Equal(t, PermissionDenied, code(Team{}.PermitDelete(CSManager)), "EX-057")
}
