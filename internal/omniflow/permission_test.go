package omniflow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rol05 is the matrix of ROL-05, cell by cell, with the row of D-CNV-2.
const rol05 = `
use_whatsapp_groups            | Y Y Y Y Y - - - | 000:28-33,108
change_whatsapp_group_members  | F F F F F - - - | 000:112
follow_whatsapp_group          | Y Y Y - Y - - - | 000:123
reopen_whatsapp_group          | Y Y Y F Y - - - | 000:123
transfer_or_end_whatsapp_group | F F F F F - - - | 000:123
receive_whatsapp_group         | Y Y Y Y Y - - - | 000:123
use_line_groups                | Y Y Y Y - - - - | 001:1600
follow_pending_line_group      | Y Y Y Y - - - - | 001:1852
follow_team_line_group         | Y Y Y - - - - - | 001:1972
transfer_line_group            | F F F F - - - - | 001:1858-1862
end_pending_line_group         | Y Y Y Y - - - - | 001:1872
end_handling_line_group        | F F F F - - - - | 001:1874
reopen_my_line_group           | F F F F - - - - | 001:1884-1886
reopen_team_line_group         | Y Y Y - - - - - | 001:1884-1886
bulk_transfer                  | Y Y - Y - - Y Y | 001:390
delete_or_blacklist            | Y Y - - - - - - | 001:297; 003:91
add_collaborators              | FC FC FC F FC F F F | 001:1201-1207,1497
join_collaboration             | Y Y Y - Y - - - | 001:1235-1239,1511
remove_collaborators           | Y Y Y F Y F F F | 001:1253-1259,1513-1515
take_over_collaboration        | C C C - C - - - | 001:1289-1295,1523
reopen_team_collaboration      | Y Y Y - Y - - - | 001:1371
broadcast                      | - - - - - - Y Y | 002:8; 001:799
view_team_customer_list        | - - - - - - Y - | 004:118-127
export_conversation            | Y - - - - - - - | 001:289
unbind_customer                | Y Y - - - - Y Y | 001:305
batch_tag                      | Y Y Y - - Y - - | 003:135
view_sales_statistics          | Y Y Y - - - - - | 003:148
manage_saved_replies           | Y Y Y Y Y Y Y Y | 004:71-80
end_pending_conversation       | Y Y Y Y Y - Y Y | D-CNV-2`

func TestPermissionsAreThoseOfROL05(t *testing.T) {
	t.Parallel()
	cells := map[string]Grant{"-": Refused, "Y": Allowed, "F": IfFollower, "C": IfCollaborator, "FC": IfFollower | IfCollaborator}
	rows := strings.Split(strings.TrimSpace(rol05), "\n")
	require.Len(t, permissions, len(rows))
	for _, row := range rows {
		parts := strings.Split(row, "|")
		action := Action(strings.TrimSpace(parts[0]))
		require.Contains(t, permissions, action)
		for i, cell := range strings.Fields(parts[1]) {
			require.Equal(t, cells[cell], GrantOf(action, Roles[i]), "%s, %s", action, Roles[i])
		}
		require.Contains(t, permissions[action].source, strings.TrimSpace(parts[2]))
	}
}

// code is the code of a refusal, "" for none.
func code(r *Refusal) Code {
	if r == nil {
		return ""
	}
	return r.Code
}

func TestPermit(t *testing.T) {
	t.Parallel()
	follower, collaborator := Relation{Follower: true}, Relation{Collaborator: true}
	for _, test := range []struct {
		name   string
		action Action
		role   Role
		r      Relation
		want   Code
	}{
		{"EX-011 marketing does not submit a group", UseWhatsAppGroups, Marketing, Relation{}, PermissionDenied},
		{"EX-011 a sales manager does not submit a group", UseWhatsAppGroups, SalesManager, Relation{}, PermissionDenied},
		{"EX-011 sales staff do not submit a group", UseWhatsAppGroups, SalesStaff, Relation{}, PermissionDenied},
		{"EX-001 a CS agent submits a group", UseWhatsAppGroups, CSAgent, Relation{}, ""},
		{"EX-018 a group is not given to a sales manager", ReceiveWhatsAppGroup, SalesManager, Relation{}, PermissionDenied},
		{"EX-018 a group is given to a CS agent", ReceiveWhatsAppGroup, CSAgent, Relation{}, ""},
		{"EX-018 the follower gives it", TransferOrEndWhatsAppGroup, CSAgent, follower, ""},
		{"D-ROL-1 marketing receives no group", ReceiveWhatsAppGroup, Marketing, Relation{}, PermissionDenied},
		{"EX-021 an administrator who is not the follower adds a member", ChangeWhatsAppGroupMembers, Administrator, Relation{}, NotFollower},
		{"EX-021 a collaborator adds a member", ChangeWhatsAppGroupMembers, Administrator, collaborator, NotFollower},
		{"EX-051 a CS manager transfers in bulk", BulkTransfer, CSManager, Relation{}, PermissionDenied},
		{"EX-057 a CS manager deletes", DeleteOrBlacklist, CSManager, follower, PermissionDenied},
		{"EX-079 an administrator as collaborator adds", AddCollaborators, Administrator, collaborator, ""},
		{"EX-080 a CS agent as collaborator adds", AddCollaborators, CSAgent, collaborator, PermissionDenied},
		{"COL-10 a CS agent as follower adds", AddCollaborators, CSAgent, follower, ""},
		{"COL-10 an administrator who is neither adds", AddCollaborators, Administrator, Relation{}, PermissionDenied},
		{"COL-15 sales staff who do not follow remove", RemoveCollaborators, SalesStaff, collaborator, PermissionDenied},
		{"EX-081 a supervisor joins", JoinCollaboration, Supervisor, Relation{}, ""},
		{"EX-085 a supervisor who is no collaborator takes over", TakeOverCollaboration, Supervisor, Relation{}, NotCollaborator},
		{"EX-090 a supervisor reopens from team closed", ReopenTeamCollaboration, Supervisor, Relation{}, ""},
		{"COL-20 a supervisor as collaborator takes over", TakeOverCollaboration, Supervisor, collaborator, ""},
		{"EX-113 a CS agent follows a LINE group from pending-human", FollowPendingLINEGroup, CSAgent, Relation{}, ""},
		{"EX-113 a CS agent follows a LINE group from team handling", FollowTeamLINEGroup, CSAgent, Relation{}, PermissionDenied},
		{"EX-137 a CS manager exports", ExportConversation, CSManager, follower, PermissionDenied},
		{"GRP a CS agent reopens a group he does not follow", ReopenWhatsAppGroup, CSAgent, Relation{}, NotFollower},
		{"ROL-04 an unknown action", "fly", Administrator, follower, PermissionDenied},
		{"ROL-04 an unknown role", Broadcast, "root", follower, PermissionDenied},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(Permit(test.action, test.role, test.r)))
		})
	}
}

func TestPermitBroadcast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		a    Actor
		want Code
	}{
		{"BRD-01 sales staff", Actor{SalesStaff, Active, OMO}, ""},
		{"BRD-01 a sales manager", Actor{SalesManager, Active, OMO}, ""},
		{"EX-120 a CS agent", Actor{CSAgent, Active, OMO}, PermissionDenied},
		{"EX-120 a CS agent without the plan", Actor{CSAgent, Active, Standard}, PermissionDenied},
		{"EX-120 sales staff without the plan", Actor{SalesStaff, Active, Standard}, PlanRequired},
		{"BRD-01 an administrator", Actor{Administrator, Active, OMO}, PermissionDenied},
		{"D-ROL-4 a deactivated member", Actor{SalesStaff, Deactivated, OMO}, ActorInactive},
		{"D-ROL-4 a deleted member without the role", Actor{CSAgent, Deleted, Standard}, ActorInactive},
		{"D-ROL-4 no state", Actor{Role: SalesStaff, Plan: OMO}, ActorInactive},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(PermitBroadcast(test.a)))
		})
	}
}
