package simulator

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// GroupTruth is one group that really came to be.
type GroupTruth struct {
	ExternalID  string    `json:"external_id"`
	ID          string    `json:"id"`
	RequestID   string    `json:"request_id"`
	Subject     string    `json:"subject"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	// Response is how the call that made it was answered: "ok", or the fault.
	Response     string   `json:"response"`
	InviteLink   string   `json:"invite_link"`
	Approval     bool     `json:"approval"`
	Suspended    bool     `json:"suspended"`
	Deleted      bool     `json:"deleted"`
	Members      []string `json:"members"`       // now, in the order in which they came
	Removed      []string `json:"removed"`       // by the business
	Left         []string `json:"left"`          // on their own, and not back
	JoinRequests []string `json:"join_requests"` // who waits to be let in
	// Invitations are the messages with an invitation that reached each person.
	Invitations map[string]int `json:"invitations"`
}

// GroupDelivery is one message to a group that reached one member.
type GroupDelivery struct {
	ExternalID    string    `json:"external_id"`
	GroupID       string    `json:"group_id"`
	Member        string    `json:"member"`
	Key           string    `json:"key"` // biz_opaque_callback_data
	ProviderID    string    `json:"provider_id"`
	ContentSHA256 string    `json:"content_sha256"`
	Quoted        string    `json:"quoted,omitempty"` // id of the message that it answers
	At            time.Time `json:"at"`
}

// Groups lists every group that came to be, deleted ones too, oldest first
// within each number.
func (s *Server) Groups() []GroupTruth {
	list := []GroupTruth{}
	s.eachBook(func(a *account, b *groupBook) {
		for _, g := range b.list {
			list = append(list, a.groupTruth(g))
		}
	})
	return list
}

// GroupsMarked lists the groups whose subject is marker, or whose description
// holds it: more than one is a duplicate.
func (s *Server) GroupsMarked(marker string) []GroupTruth {
	return slices.DeleteFunc(s.Groups(), func(g GroupTruth) bool {
		return g.Subject != marker && !strings.Contains(g.Description, marker)
	})
}

// GroupDeliveries lists what reached the members of groups, in order within
// each number. Numbers with Retain off have nothing to list.
func (s *Server) GroupDeliveries() []GroupDelivery {
	list := []GroupDelivery{}
	s.eachBook(func(_ *account, b *groupBook) { list = append(list, b.deliveries...) })
	return list
}

// GroupCalls counts the group calls of a number by kind, refused ones too.
func (s *Server) GroupCalls(externalID string) map[GroupOperation]int {
	counts := map[GroupOperation]int{}
	s.eachBook(func(a *account, b *groupBook) {
		if matches(WhatsApp, externalID, a) {
			for op, n := range b.calls {
				counts[op] += n
			}
		}
	})
	return counts
}

// eachBook visits the books of all WhatsApp numbers, each under its lock.
func (s *Server) eachBook(visit func(*account, *groupBook)) {
	for _, a := range s.all() {
		if a.channel == WhatsApp {
			a.mu.Lock()
			visit(a, a.groupsBook())
			a.mu.Unlock()
		}
	}
}

func (a *account) groupTruth(g *group) GroupTruth {
	t := GroupTruth{
		ExternalID: a.id, ID: g.id, RequestID: g.requestID, Subject: g.subject, Description: g.description,
		CreatedAt: g.made.UTC(), Response: g.response, InviteLink: g.link, Approval: g.approval,
		Suspended: g.suspended, Deleted: g.deleted, Members: append([]string{}, g.members...),
		Removed: sortedKeys(g.removed), Left: sortedKeys(g.left), JoinRequests: []string{}, Invitations: maps.Clone(g.invited),
	}
	for _, r := range g.requests {
		t.JoinRequests = append(t.JoinRequests, r.person)
	}
	return t
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
