package simulator

import (
	"errors"
	"fmt"
)

// GroupSettings say how groups behave. Shares are between 0 and 1.
// DefaultGroups is what an account has that was told nothing.
type GroupSettings struct {
	ExternalID string `json:"external_id"` // "" or "*" is every number, those to come too
	Seed       uint64 `json:"seed,omitempty"`

	// A creation takes CreateMinMS to CreateMaxMS; a share of LateCreate takes
	// 60 s more.
	CreateMinMS int     `json:"create_min_ms"`
	CreateMaxMS int     `json:"create_max_ms"`
	LateCreate  float64 `json:"late_create"`
	// Removal, settings and deletion take ChangeMinMS to ChangeMaxMS.
	ChangeMinMS int `json:"change_min_ms"`
	ChangeMaxMS int `json:"change_max_ms"`
	// People need ReactMinMS to ReactMaxMS to act upon an invitation, unless
	// they have a delay of their own.
	ReactMinMS int `json:"react_min_ms"`
	ReactMaxMS int `json:"react_max_ms"`

	// OperationsPerMinute is how many group calls a number may make in any
	// minute before 131208; 0 is no limit. Sends do not count.
	OperationsPerMinute int `json:"operations_per_minute"`
	// MaxGroups is how many groups a number may have before 131211.
	MaxGroups int `json:"max_groups"`
	// NotEligible refuses every group call and group send with 131215.
	NotEligible bool `json:"not_eligible"`
	// WindowOpen takes free-form messages although no member has written for
	// 24 h, or ever.
	WindowOpen bool `json:"window_open"`

	Split         float64 `json:"split"`           // statuses of members that travel one by one, not together
	OtherKey      float64 `json:"other_key"`       // statuses with participant_recipient_id
	OtherTypes    float64 `json:"other_types"`     // events with type group_add_participants or group_remove_participants
	Beside        float64 `json:"beside"`          // events with initiated_by beside the group, not inside
	Quoted        float64 `json:"quoted"`          // numbers and bools as strings
	WithRequestID float64 `json:"with_request_id"` // answers to changes with request_id, not success
}

// DefaultGroups are those of the documents, in each of their spellings.
func DefaultGroups() GroupSettings {
	return GroupSettings{
		CreateMinMS: 500, CreateMaxMS: 5000, LateCreate: 0.01, ChangeMinMS: 200, ChangeMaxMS: 2000,
		ReactMinMS: 500, ReactMaxMS: 3000, MaxGroups: 10_000,
		Split: 0.3, OtherKey: 0.5, OtherTypes: 0.2, Beside: 0.5, Quoted: 0.5, WithRequestID: 0.8,
	}
}

func (g GroupSettings) check() error {
	for name, p := range map[string]float64{"late_create": g.LateCreate, "split": g.Split, "other_key": g.OtherKey,
		"other_types": g.OtherTypes, "beside": g.Beside, "quoted": g.Quoted, "with_request_id": g.WithRequestID} {
		if p < 0 || p > 1 {
			return fmt.Errorf("%s is not between 0 and 1", name)
		}
	}
	for _, d := range [][2]int{{g.CreateMinMS, g.CreateMaxMS}, {g.ChangeMinMS, g.ChangeMaxMS}, {g.ReactMinMS, g.ReactMaxMS}} {
		if d[0] < 0 || d[1] < d[0] {
			return errors.New("a time is negative, or its least is more than its most")
		}
	}
	if g.OperationsPerMinute < 0 || g.MaxGroups < 0 {
		return errors.New("limits cannot be negative")
	}
	return nil
}

// SetGroups replaces the group settings of the numbers that g names.
func (s *Server) SetGroups(g GroupSettings) error {
	if err := g.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if everyone(g.ExternalID) {
		s.groupDefaults.Store(&g)
	}
	return s.apply(WhatsApp, g.ExternalID, func(a *account) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.groupsBook().configure(g)
	})
}

// GroupOperation names a group call.
type GroupOperation string

// The group calls. GroupSend is a message to a group.
const (
	GroupCreate       GroupOperation = "create"
	GroupList         GroupOperation = "list"
	GroupRead         GroupOperation = "read"
	GroupUpdate       GroupOperation = "update"
	GroupDelete       GroupOperation = "delete"
	GroupInviteLink   GroupOperation = "invite_link"
	GroupResetLink    GroupOperation = "reset_link"
	GroupJoinRequests GroupOperation = "join_requests"
	GroupApprove      GroupOperation = "approve"
	GroupReject       GroupOperation = "reject"
	GroupRemove       GroupOperation = "remove"
	GroupSend         GroupOperation = "send"
)

var groupOperations = []GroupOperation{GroupCreate, GroupList, GroupRead, GroupUpdate, GroupDelete, GroupInviteLink,
	GroupResetLink, GroupJoinRequests, GroupApprove, GroupReject, GroupRemove, GroupSend}

// GroupFaults are the fates of the next group calls of a number, before any
// draw of Faults, whose shares hold for group calls too.
type GroupFaults struct {
	ExternalID string           `json:"external_id"` // "" or "*" is every number there is
	Next       []NextGroupFault `json:"next"`
}

// NextGroupFault is the fate of the next calls of one kind.
type NextGroupFault struct {
	Operation GroupOperation `json:"operation"` // "*" is any
	// Fault is how the call or its answer is spoilt, or
	Fault Fault `json:"fault,omitempty"`
	// Code is the error: at once, or with Async in the webhook (create, update,
	// delete, remove, send).
	Code  int  `json:"code,omitempty"`
	Async bool `json:"async,omitempty"`
	// Item limits an asynchronous Code to one setting (subject, description,
	// picture) or to one person; "" is all of them.
	Item  string `json:"item,omitempty"`
	Times int    `json:"times,omitempty"` // 0 is once
}

// SetGroupFaults replaces the group faults of the numbers that f names.
func (s *Server) SetGroupFaults(f GroupFaults) error {
	for _, n := range f.Next {
		if err := n.check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apply(WhatsApp, f.ExternalID, func(a *account) {
		a.mu.Lock()
		defer a.mu.Unlock()
		b := a.groupsBook()
		b.next = nil
		for _, n := range f.Next {
			n.Times = max(1, n.Times)
			b.next = append(b.next, n)
		}
	})
}

func (n NextGroupFault) check() error {
	known := n.Operation == "*"
	for _, op := range groupOperations {
		known = known || n.Operation == op
	}
	if !known {
		return fmt.Errorf("group operation %q is not known", n.Operation)
	}
	fault := n.Fault == ""
	for _, s := range (Faults{}).shares() {
		fault = fault || n.Fault == s.fault
	}
	if !fault || (n.Fault == "") == (n.Code == 0) || n.Code < 0 || n.Times < 0 {
		return errors.New("a group fault has either a fault or a code")
	}
	return nil
}
