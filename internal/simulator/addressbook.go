package simulator

import (
	"fmt"
	"time"
)

// UserState is how a recipient takes messages.
type UserState string

// The states of a recipient. What each does on each channel is in README.md.
const (
	UserOK          UserState = "ok"
	UserBlocked     UserState = "blocked"
	UserUnknown     UserState = "unknown"
	UserNotWhatsApp UserState = "not_on_whatsapp"
	UserOptedOut    UserState = "opted_out"
	UserUnavailable UserState = "unavailable"
)

// User is one recipient of the address book.
type User struct {
	ID    string    `json:"id"`
	State UserState `json:"state,omitempty"` // empty is ok
	// LastInboundAt is when the user last wrote; nil is an open window.
	LastInboundAt *time.Time `json:"last_inbound_at,omitempty"`
}

// Users names recipients of one account.
type Users struct {
	Channel    Channel `json:"channel"`
	ExternalID string  `json:"external_id"`
	Users      []User  `json:"users"`
}

// recipient is what an account remembers of one person.
type recipient struct {
	state       UserState
	listed      bool
	reached     bool      // got a message; counts once among the distinct
	lastInbound time.Time // zero: the window is not enforced
	pair        pairWindow
}

// AddUsers puts users into the address book of an account, replacing their
// earlier entries.
func (s *Server) AddUsers(u Users) error {
	a, err := s.find(u.Channel, u.ExternalID)
	if err != nil {
		return err
	}
	for _, e := range u.Users {
		if err := e.check(); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range u.Users {
		r := a.person(a.personID(e.ID))
		r.listed, r.state, r.lastInbound = true, e.State, time.Time{}
		if e.State == "" {
			r.state = UserOK
		}
		if e.LastInboundAt != nil {
			r.lastInbound = *e.LastInboundAt
		}
	}
	return nil
}

func (u User) check() error {
	switch u.State {
	case "", UserOK, UserBlocked, UserUnknown, UserNotWhatsApp, UserOptedOut, UserUnavailable:
	default:
		return fmt.Errorf("user state %q is not known", u.State)
	}
	if u.ID == "" {
		return fmt.Errorf("a user has no id")
	}
	return nil
}

// personID is the form under which a recipient is remembered: WhatsApp numbers
// are their digits, however they were written.
func (a *account) personID(id string) string {
	if a.channel == WhatsApp {
		if digits, ok := phoneDigits(id); ok {
			return digits
		}
	}
	return id
}

// person returns the memory of a recipient, made at first sight.
func (a *account) person(id string) *recipient {
	r := a.users[id]
	if r == nil {
		r = &recipient{state: UserOK}
		a.users[id] = r
	}
	return r
}

// stateOf is a person's state, with strict_users applied.
func (a *account) stateOf(r *recipient) UserState {
	if a.cfg.StrictUsers && !r.listed {
		return UserUnknown
	}
	return r.state
}

// silent is how long ago the person wrote; 0 when the window is not enforced.
func (r *recipient) silent(now time.Time) time.Duration {
	if r.lastInbound.IsZero() {
		return 0
	}
	return now.Sub(r.lastInbound)
}
