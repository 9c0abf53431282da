package simulator

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// maxMembers is how many people a group has at most, without the business.
const maxMembers = 8

// group is one WhatsApp group. It is guarded by account.mu.
type group struct {
	id, requestID, subject, description, link string
	approval, suspended, deleted              bool
	made                                      time.Time
	response                                  string // to the call that made it
	members                                   []string
	removed                                   map[string]bool // by the business: they never come back
	left                                      map[string]bool
	requests                                  []*joinRequest
	invited                                   map[string]int // invitations delivered, by person
	lastInbound                               time.Time      // zero: no window is open
}

// joinRequest is somebody who asks to be let in.
type joinRequest struct {
	id, person string
	at         time.Time
}

// groupBook is what an account remembers of its groups.
type groupBook struct {
	settings   GroupSettings
	set        bool // settings were given, or taken from the server's
	dice       hookDice
	next       []NextGroupFault
	list       []*group // those that came to be, oldest first; deleted ones too
	byID       map[string]*group
	alive      int // of list, and those on their way
	people     map[string]GroupUser
	calls      map[GroupOperation]int
	operations ring // of the last minute
	deliveries []GroupDelivery
}

// groupsBook is the account's book, made at first use. It runs under a.mu.
func (a *account) groupsBook() *groupBook {
	b := &a.groups
	if b.byID == nil {
		b.byID, b.people, b.calls = map[string]*group{}, map[string]GroupUser{}, map[GroupOperation]int{}
	}
	if !b.set {
		settings := DefaultGroups()
		if given := a.server.groupDefaults.Load(); given != nil {
			settings = *given
		}
		b.configure(settings)
	}
	return b
}

func (b *groupBook) configure(g GroupSettings) {
	seed := g.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	b.settings, b.set = g, true
	b.dice = hookDice{rng: rand.New(rand.NewPCG(seed, seed))}
}

// between draws a time from two numbers of milliseconds.
func (b *groupBook) between(least, most int) time.Duration {
	low, high := time.Duration(least)*time.Millisecond, time.Duration(most)*time.Millisecond
	return low + b.dice.upTo(high-low)
}

// reset forgets what was counted, and keeps the groups.
func (b *groupBook) reset() {
	b.deliveries = nil
	clear(b.calls)
	for _, g := range b.list {
		clear(g.invited)
	}
}

// groupMark begins every group id: "capi_group:" in base64, cut to whole groups of three bytes.
const groupMark = "Y2FwaV9ncm91"

// newGroupID is opaque to clients; it holds the number that owns the group.
func newGroupID(phone string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("capi_group:" + phone + ":" + noise(12)))
}

// groupPhone is the number that a group id belongs to, or "".
func groupPhone(id string) string {
	if !strings.HasPrefix(id, groupMark) {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	parts := strings.Split(string(raw), ":")
	if err != nil || len(parts) != 3 {
		return ""
	}
	return parts[1]
}

func newInviteLink() string { return "https://chat.whatsapp.com/" + noise(16) }

// Why a person does not get into a group. Nothing of it is sent to the business.
var (
	errNoGroup     = errors.New("there is no such group")
	errDeadLink    = errors.New("the link is dead")
	errBanned      = errors.New("the business removed this person")
	errFull        = errors.New("the group is full")
	errIsMember    = errors.New("this person is a member")
	errIsNoMember  = errors.New("this person is not a member")
	errHasAsked    = errors.New("this person has asked already")
	errHasNotAsked = errors.New("this person has not asked")
)

// live finds a group that is there. It runs under a.mu.
func (a *account) live(id string) *group {
	if g := a.groupsBook().byID[id]; g != nil && !g.deleted {
		return g
	}
	return nil
}

func (g *group) member(person string) bool { return slices.Contains(g.members, person) }

// mayEnter says whether a link lets a person in.
func (g *group) mayEnter(person, link string) error {
	switch {
	case g.deleted || g.link != link:
		return errDeadLink
	case g.removed[person]:
		return errBanned
	case g.member(person):
		return errIsMember
	case len(g.members) >= maxMembers:
		return errFull
	}
	return nil
}

// follow is a person who taps a link: in, or in line. It runs under a.mu.
func (a *account) follow(g *group, person, link string) error {
	if err := g.mayEnter(person, link); err != nil {
		return err
	}
	if g.approval {
		_, err := a.ask(g, person)
		return err
	}
	a.admit(g, person)
	a.tell(a.joinedEvent(g, []string{person}, false))
	return nil
}

// admit makes a person a member.
func (a *account) admit(g *group, person string) {
	g.members = append(g.members, person)
	g.withdraw(person)
	delete(g.left, person)
}

// ask puts a person in line.
func (a *account) ask(g *group, person string) (string, error) {
	if slices.ContainsFunc(g.requests, func(r *joinRequest) bool { return r.person == person }) {
		return "", errHasAsked
	}
	r := &joinRequest{id: "jr" + noise(12), person: person, at: a.clock()}
	g.requests = append(g.requests, r)
	a.tell(a.requestEvent(g, r, "group_join_request_created"))
	return r.id, nil
}

// withdraw takes a person's request out of line; nil if there is none.
func (g *group) withdraw(person string) *joinRequest {
	for i, r := range g.requests {
		if r.person == person {
			g.requests = slices.Delete(g.requests, i, i+1)
			return r
		}
	}
	return nil
}

// revoke is a person who does not want to get in any longer.
func (a *account) revoke(g *group, person string) error {
	r := g.withdraw(person)
	if r == nil {
		return errHasNotAsked
	}
	a.tell(a.requestEvent(g, r, "group_join_request_revoked"))
	return nil
}

// leave is a member who goes. He may come back.
func (a *account) leave(g *group, person string) error {
	if !g.drop(person) {
		return errIsNoMember
	}
	g.left[person] = true
	a.tell(a.leftEvent(g, person))
	return nil
}

// drop ends a membership and says whether there was one.
func (g *group) drop(person string) bool {
	i := slices.Index(g.members, person)
	if i < 0 {
		return false
	}
	g.members = slices.Delete(g.members, i, i+1)
	return true
}

// tell sends an event as the webhook settings say. It runs under a.mu.
func (a *account) tell(e event) { a.emit(e, a.hooks.pause()) }

// later does something under a.mu after a real delay, unless the server has
// closed by then.
func (a *account) later(delay time.Duration, do func()) {
	time.AfterFunc(delay, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.server.ctx.Err() == nil {
			do()
		}
	})
}

// result does an operation later and tells its result; by lot, at once and
// before the response, which then waits for the channel.
func (a *account) result(delay time.Duration, do func() event) <-chan struct{} {
	early := a.cfg.WebhookURL != "" && !a.hooks.cfg.Disabled && a.hooks.draw(a.hooks.cfg.BeforeResponse)
	if early {
		return a.queue.now(do())
	}
	a.later(delay, func() { a.tell(do()) })
	return nil
}

// withGroup does something to a group that is there, under its account's lock.
func (s *Server) withGroup(id string, do func(*account, *group) error) error {
	a, err := s.find(WhatsApp, groupPhone(id))
	if err != nil {
		return fmt.Errorf("group %q: %w", id, errNoGroup)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.live(id)
	if g == nil {
		return fmt.Errorf("group %q: %w", id, errNoGroup)
	}
	return do(a, g)
}
