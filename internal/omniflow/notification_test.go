package omniflow

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	jess, amy, tom, kim := uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}, uuid.UUID{4}
	both := []uuid.UUID{amy, tom}
	for _, test := range []struct {
		name  string
		act   Act
		in    Involved
		kind  NotificationKind
		key   TextKey
		close bool
		told  []uuid.UUID
	}{
		{"EX-077 COL-10 each who is added", Act(AddMembers), Involved{Actor: jess, Affected: both, Follower: jess, Collaborators: both}, "added", "ntf_added", false, both},
		{"COL-13 joining", Act(JoinMembers), Involved{Actor: amy, Affected: []uuid.UUID{amy}, Follower: jess, Collaborators: both}, "", "", false, nil},
		{"COL-15 NTF-04 each who is removed", Act(RemoveMembers), Involved{Actor: jess, Affected: both, Follower: jess}, "removed", "ntf_removed", true, both},
		{"COL-15 who removes oneself and another", Act(RemoveMembers), Involved{Actor: amy, Affected: both, Follower: jess}, "removed", "ntf_removed", true, []uuid.UUID{tom}},
		{"EX-091 COL-18 who leaves", Act(LeaveMembers), Involved{Actor: amy, Affected: []uuid.UUID{amy}, Follower: jess}, "left", "ntf_left", true, []uuid.UUID{amy}},
		{"COL-20 D-COL-5 the former follower and no collaborator", Act(TakeOver), Involved{Actor: amy, Former: jess, Follower: amy, Collaborators: []uuid.UUID{jess, tom}, State: Handling},
			"taken_over", "ntf_taken_over", false, []uuid.UUID{jess}},
		{"D-WAC-1 what nobody followed", Act(TakeOver), Involved{Actor: amy, Follower: amy, State: Handling}, "taken_over", "ntf_taken_over", false, nil},
		{"what was one's own", Act(TakeOver), Involved{Actor: amy, Former: amy, Follower: amy, State: Handling}, "taken_over", "ntf_taken_over", false, nil},
		{"a group that another follows", Act(Follow), Involved{Actor: amy, Former: jess, Follower: amy, State: Handling}, "taken_over", "ntf_taken_over", false, []uuid.UUID{jess}},
		{"CNV-07 following what is pending", Act(Follow), Involved{Actor: amy, Follower: amy, State: Handling}, "taken_over", "ntf_taken_over", false, nil},
		{"EX-082 COL-23 D-COL-5 the receiver only", Act(Transfer), Involved{Actor: jess, Former: jess, Follower: amy, Collaborators: []uuid.UUID{jess, tom}, State: Handling},
			"transferred", "ntf_transferred", false, []uuid.UUID{amy}},
		{"EX-087 COL-28 NTF-04 the collaborators", Act(End), Involved{Actor: jess, Former: jess, Follower: jess, Collaborators: both, State: Closed}, "ended", "ntf_ended", true, both},
		{"CNV-09 ending what has no collaborators", Act(End), Involved{Actor: jess, Former: jess, Follower: jess, State: Closed}, "ended", "ntf_ended", true, nil},
		{"CLS-01 the automatic ending", Act(AutoClose), Involved{Former: jess, Follower: jess, Collaborators: both, State: Closed}, "", "", false, nil},
		{"COL-34 reopening", Act(Reopen), Involved{Actor: amy, Former: jess, Follower: jess, Collaborators: both, State: Handling}, "", "", false, nil},
		{"WAC-04 opening one", Act(CreateWhatsApp), Involved{Actor: jess, Follower: jess, State: Handling}, "", "", false, nil},
		{"D-NTF-3 the customer writes to the follower", CustomerWrites, Involved{Follower: jess, State: Handling}, "customer_message", "", false, []uuid.UUID{jess}},
		{"NTF-02 in a collaboration", CustomerWrites, Involved{Follower: jess, Collaborators: both, State: Handling}, "customer_message", "", false, []uuid.UUID{jess, amy, tom}},
		{"D-NTF-3 in pending", CustomerWrites, Involved{State: PendingHuman}, "", "", false, nil},
		{"D-NTF-3 with the bot", CustomerWrites, Involved{State: PendingBot}, "", "", false, nil},
		{"a message that came after the ending it preceded", CustomerWrites, Involved{Follower: jess, Collaborators: both, State: Closed}, "", "", false, nil},
		{"a handled one that nobody follows", CustomerWrites, Involved{State: Handling}, "customer_message", "", false, nil},
		{"nobody twice", CustomerWrites, Involved{Follower: jess, Collaborators: []uuid.UUID{jess, kim}, State: Handling}, "customer_message", "", false, []uuid.UUID{jess, kim}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n, members := Notify(test.act, test.in)
			require.Equal(t, []any{test.kind, test.key, test.close}, []any{n.Kind, n.Text, n.CloseRoom})
			require.Equal(t, test.told, members)
		})
	}
}

// TestNoticesAreOfOneMind: what is read by the kind alone must be the same in
// every row of a kind, and no act may hide another.
func TestNoticesAreOfOneMind(t *testing.T) {
	t.Parallel()
	for act, n := range notices {
		require.Equal(t, n.CloseRoom, n.Kind.ClosesRoom(), act)
		require.Equal(t, n.Text == "", n.Kind == NotifiedCustomerMessage, act)
		require.NotEmpty(t, n.to, act)
	}
	require.False(t, NotificationKind("nothing").ClosesRoom())
	acts := []Act{CustomerWrites, Act(AddMembers), Act(JoinMembers), Act(RemoveMembers), Act(LeaveMembers)}
	for _, e := range []Event{CreateWhatsApp, AskHuman, Follow, End, AutoClose, Transfer, TakeOver, Reopen, Delete, Blacklist} {
		acts = append(acts, Act(e))
	}
	slices.Sort(acts)
	require.Len(t, slices.Compact(acts), 15)
}
