package omniflow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestVerdictInAGroup is the last look at a message to a WhatsApp group: what
// the door asks, and what may have changed behind it (D-SYS-00).
func TestVerdictInAGroup(t *testing.T) {
	t.Parallel()
	agent := Actor{Role: CSAgent, State: Active}
	for _, row := range []struct {
		name   string
		origin Origin
		edit   func(*Departing)
		want   MessageStatus
	}{
		{"WIN-03 open", OriginAgent, func(*Departing) {}, MessageStatus{}},
		{"GRP-24 a colleague's", OriginAgent, func(d *Departing) { d.Relation = Relation{} }, MessageStatus{}},
		{"COL-05 a stranger to a collaboration", OriginAgent, func(d *Departing) { d.Relation, d.Collaborators = Relation{}, true },
			MessageStatus{State: Failed, Code: NotParticipant}},
		{"COL-05 where the team has collaborations", OriginAgent, func(d *Departing) { d.Relation, d.ParticipantsOnly = Relation{}, true },
			MessageStatus{State: Failed, Code: NotParticipant}},
		{"WIN-03 over", OriginAgent, func(d *Departing) { d.LastCustomerAt = nil }, MessageStatus{State: Failed, Code: WindowTemplateOnly}},
		{"D-CLS-4 ended meanwhile", OriginAgent, func(d *Departing) { d.State = Closed }, MessageStatus{State: Failed, Code: NoLongerHandling}},
		{"D-ROL-4 a sender who was deactivated", OriginAgent, func(d *Departing) { d.Actor.State = Deactivated }, MessageStatus{State: Failed, Code: ActorInactive}},
		{"GRP-02 a sender of another role now", OriginAgent, func(d *Departing) { d.Actor.Role = Marketing }, MessageStatus{State: Failed, Code: PermissionDenied}},
		{"GRP-18 suspended", OriginAgent, func(d *Departing) { d.Group.Suspended = true }, MessageStatus{State: Failed, Code: GroupSuspended}},
		{"GRP-18 a reminder to a deleted one", OriginReminder, func(d *Departing) { d.Group.Deleted = true }, MessageStatus{State: Failed, Code: GroupWasDeleted}},
		{"D-CLS-2 a reminder", OriginReminder, func(*Departing) {}, MessageStatus{}},
		{"D-CLS-2 a reminder when the window is over", OriginReminder, func(d *Departing) { d.LastCustomerAt = nil }, MessageStatus{State: Skipped, Code: WindowClosed}},
		{"CLS-01 a reminder when somebody waits", OriginReminder, func(d *Departing) { d.Waiting = true }, MessageStatus{State: Skipped, Code: NoLongerHandling}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wrote := ten.Add(-time.Hour)
			d := Departing{Origin: row.origin, Group: &Group{State: GroupCreated}, Reply: Reply{Channel: WhatsApp, LastCustomerAt: &wrote,
				ConversationSituation: ConversationSituation{Type: WhatsAppGroup, State: Handling, Followed: true, Actor: agent, Relation: Relation{Follower: true}}}}
			row.edit(&d)
			require.Equal(t, row.want, d.Verdict([]Content{{Kind: Text, Text: "x"}}, ten))
		})
	}
}

// TestEX061AtTheSend is the second look at a shopping link, which the door let
// through in time (D-SYS-00).
func TestEX061AtTheSend(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		promotional bool
		ago         time.Duration
		want        MessageStatus
	}{
		{"EX-061 exactly 24 h", true, day, MessageStatus{}},
		{"WIN-02 a second later", true, day + time.Second, MessageStatus{State: Failed, Code: WindowNonPromotional}},
		{"D-WIN-2 free text", false, day + time.Second, MessageStatus{}},
		{"WIN-02 over 7 d", true, 7*day + time.Second, MessageStatus{State: Failed, Code: WindowClosed}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := Departing{Origin: OriginAgent, Reply: Reply{Channel: Facebook, LastCustomerAt: ago(row.ago),
				ConversationSituation: ConversationSituation{State: Handling, Followed: true, Actor: Actor{Role: CSAgent, State: Active}, Relation: Relation{Follower: true}}}}
			require.Equal(t, row.want, d.Verdict([]Content{{Kind: Text, Text: "x", Promotional: row.promotional}}, now))
		})
	}
}
