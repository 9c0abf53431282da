package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// GroupBehaviour is what a person does with an invitation to a group.
type GroupBehaviour string

// The behaviours. Joining a group with approval means asking to be let in.
const (
	Joins         GroupBehaviour = "joins"           // taps the link
	JoinsAndGoes  GroupBehaviour = "leaves"          // taps the link, and leaves after StayMS
	Asks          GroupBehaviour = "asks"            // asks to be let in, whatever the group's mode
	AsksAndGoes   GroupBehaviour = "revokes"         // asks, and takes it back after StayMS
	IgnoresGroup  GroupBehaviour = "ignores"         // reads it and does nothing
	RefusesGroup  GroupBehaviour = "refuses"         // decides against it: nobody is told
	NotOnWhatsApp GroupBehaviour = "not_on_whatsapp" // the invitation fails with 131026
)

// GroupUser is how one person takes invitations. Who was never named joins.
type GroupUser struct {
	ID        string         `json:"id"`
	Behaviour GroupBehaviour `json:"behaviour,omitempty"` // "" is joins
	// DelayMS is how long he takes; nil is as the group settings say.
	DelayMS *int `json:"delay_ms,omitempty"`
	// StayMS is how long who leaves or revokes waits before it.
	StayMS int `json:"stay_ms,omitempty"`
	// TermsOutdated makes his approval fail with 131203.
	TermsOutdated bool `json:"terms_outdated,omitempty"`
	// RemoveCode, if not 0, is the error of every attempt to remove him.
	RemoveCode int `json:"remove_code,omitempty"`
}

// GroupUsers names people of one number.
type GroupUsers struct {
	ExternalID string      `json:"external_id"`
	Users      []GroupUser `json:"users"`
}

// AddGroupUsers says how people take invitations, replacing what was said of
// them before.
func (s *Server) AddGroupUsers(u GroupUsers) error {
	a, err := s.find(WhatsApp, u.ExternalID)
	if err != nil {
		return err
	}
	for _, p := range u.Users {
		if err := p.check(); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range u.Users {
		p.ID = a.personID(p.ID)
		a.groupsBook().people[p.ID] = p
		if p.Behaviour == NotOnWhatsApp {
			r := a.person(p.ID)
			r.listed, r.state = true, UserNotWhatsApp
		}
	}
	return nil
}

func (u GroupUser) check() error {
	switch u.Behaviour {
	case "", Joins, JoinsAndGoes, Asks, AsksAndGoes, IgnoresGroup, RefusesGroup, NotOnWhatsApp:
	default:
		return fmt.Errorf("group behaviour %q is not known", u.Behaviour)
	}
	if _, ok := phoneDigits(u.ID); !ok {
		return fmt.Errorf("a group user is no phone number")
	}
	if u.DelayMS != nil && *u.DelayMS < 0 || u.StayMS < 0 || u.RemoveCode < 0 {
		return fmt.Errorf("times and codes cannot be negative")
	}
	return nil
}

// groupIDs are the groups that a template's body invites to.
func (m *whatsappMessage) groupIDs() []string {
	if m.Template == nil || m.Type != "template" {
		return nil
	}
	var ids []string
	for _, c := range m.Template.Components {
		for _, raw := range c.Parameters {
			var p struct {
				Type    string `json:"type"`
				GroupID string `json:"group_id"`
			}
			if strings.EqualFold(c.Type, "body") && json.Unmarshal(raw, &p) == nil && p.Type == "group_id" {
				ids = append(ids, p.GroupID)
			}
		}
	}
	return ids
}

// strangeGroup refuses an invitation to a group that is not there.
func (a *account) strangeGroup(m *whatsappMessage) *graphError {
	for _, id := range m.groupIDs() {
		if a.live(id) == nil {
			return &graphError{status: 400, code: 131041, title: groupTitle(131041), details: "The group of a parameter does not exist."}
		}
	}
	return nil
}

// invite lets a person act upon a message that reached him: a template with
// the group's id, in whose place stands the link of this moment, or a text
// with the link in it.
func (a *account) invite(m *whatsappMessage, f fate) {
	if !f.delivered || f.offline {
		return
	}
	for _, id := range m.groupIDs() {
		a.invited(a.live(id), m.person)
	}
	if m.Text == nil || !strings.Contains(m.Text.Body, "https://chat.whatsapp.com/") {
		return
	}
	for _, g := range a.groupsBook().list {
		if !g.deleted && strings.Contains(m.Text.Body, g.link) {
			a.invited(g, m.person)
		}
	}
}

// invited schedules what a person does with an invitation.
func (a *account) invited(g *group, person string) {
	b := a.groupsBook()
	p, link := b.people[person], g.link
	g.invited[person]++
	delay := b.between(b.settings.ReactMinMS, b.settings.ReactMaxMS)
	if p.DelayMS != nil {
		delay = time.Duration(*p.DelayMS) * time.Millisecond
	}
	a.later(delay, func() { a.act(g, p, person, link) })
}

// act is what a person does with the link he holds. What fails, fails
// silently: the business is not told.
func (a *account) act(g *group, p GroupUser, person, link string) {
	stay := time.Duration(p.StayMS) * time.Millisecond
	switch p.Behaviour {
	case "", Joins:
		_ = a.follow(g, person, link)
	case JoinsAndGoes:
		if a.follow(g, person, link) == nil {
			a.later(stay, func() { _ = a.leave(g, person) })
		}
	case Asks, AsksAndGoes:
		if g.mayEnter(person, link) != nil {
			return
		}
		if _, err := a.ask(g, person); err == nil && p.Behaviour == AsksAndGoes {
			a.later(stay, func() { _ = a.revoke(g, person) })
		}
	}
}

// asPerson does something with a group and a person by any writing of his number.
func (s *Server) asPerson(groupID, user string, do func(*account, *group, string) error) error {
	person, ok := phoneDigits(user)
	if !ok {
		return fmt.Errorf("a member is no phone number")
	}
	return s.withGroup(groupID, func(a *account, g *group) error { return do(a, g, person) })
}

// Join lets a person tap the group's present link: he is in, or in line when
// the group wants approval. The error says why he is not; the business is
// never told.
func (s *Server) Join(groupID, user string) error {
	return s.asPerson(groupID, user, func(a *account, g *group, person string) error { return a.follow(g, person, g.link) })
}

// FollowLink is Join with a link that the person holds, perhaps a dead one.
func (s *Server) FollowLink(groupID, user, link string) error {
	return s.asPerson(groupID, user, func(a *account, g *group, person string) error { return a.follow(g, person, link) })
}

// RequestToJoin lets a person ask to be let in, whatever the group's mode; it
// returns the request's id.
func (s *Server) RequestToJoin(groupID, user string) (string, error) {
	var id string
	err := s.asPerson(groupID, user, func(a *account, g *group, person string) error {
		err := g.mayEnter(person, g.link)
		if err == nil {
			id, err = a.ask(g, person)
		}
		return err
	})
	return id, err
}

// RevokeRequest lets a person take his request back.
func (s *Server) RevokeRequest(groupID, user string) error {
	return s.asPerson(groupID, user, (*account).revoke)
}

// Leave lets a member leave on his own.
func (s *Server) Leave(groupID, user string) error {
	return s.asPerson(groupID, user, (*account).leave)
}

// Suspend suspends a group, or restores it.
func (s *Server) Suspend(groupID string, suspended bool) error {
	return s.withGroup(groupID, func(a *account, g *group) error {
		g.suspended = suspended
		a.tell(a.suspendedEvent(g))
		return nil
	})
}
