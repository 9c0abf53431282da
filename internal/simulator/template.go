package simulator

import (
	"errors"
	"fmt"
	"sync"
)

// Template is an approved message form: of a WhatsApp business account, or a
// utility template of a page.
type Template struct {
	// ExternalID or WABAID says whose it is: one number's, or a WABA's.
	ExternalID string `json:"external_id,omitempty"`
	WABAID     string `json:"waba_id,omitempty"`
	Name       string `json:"name"`
	Language   string `json:"language"`
	// BodyParams is how many parameters the body takes.
	BodyParams int `json:"body_params"`
	// Header is the file at its head: image, video or document; empty is none.
	Header string `json:"header,omitempty"`
	// Status is APPROVED (also when empty), PAUSED or DISABLED.
	Status string `json:"status,omitempty"`
	// Category is utility (also when empty), marketing or authentication; it
	// shows in the pricing of statuses.
	Category string `json:"category,omitempty"`
}

type templateKey struct{ owner, name, language string }

// templateBook holds the templates of all accounts; its zero value is empty.
type templateBook struct {
	mu   sync.RWMutex
	list map[templateKey]Template
}

// AddTemplates registers templates, replacing those of the same owner, name
// and language.
func (s *Server) AddTemplates(list ...Template) error {
	for _, t := range list {
		if err := t.check(); err != nil {
			return err
		}
	}
	b := &s.templates
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list == nil {
		b.list = map[templateKey]Template{}
	}
	for _, t := range list {
		owner := t.ExternalID
		if owner == "" {
			owner = t.WABAID
		}
		b.list[templateKey{owner, t.Name, t.Language}] = t
	}
	return nil
}

func (t Template) check() error {
	if (t.ExternalID == "") == (t.WABAID == "") {
		return errors.New("a template belongs to an external_id or to a waba_id")
	}
	if t.Name == "" || t.Language == "" || t.BodyParams < 0 {
		return errors.New("a template has a name, a language and no negative body_params")
	}
	switch t.Header {
	case "", "image", "video", "document":
	default:
		return fmt.Errorf("template header %q is not known", t.Header)
	}
	switch t.Status {
	case "", "APPROVED", "PAUSED", "DISABLED":
	default:
		return fmt.Errorf("template status %q is not known", t.Status)
	}
	switch t.Category {
	case "", "utility", "marketing", "authentication":
		return nil
	}
	return fmt.Errorf("template category %q is not known", t.Category)
}

// template finds a template of the account, its own before its WABA's.
func (a *account) template(name, language string) (Template, bool) {
	b := &a.server.templates
	b.mu.RLock()
	defer b.mu.RUnlock()
	t, ok := b.list[templateKey{a.cfg.ExternalID, name, language}]
	if !ok && a.cfg.WABAID != "" {
		t, ok = b.list[templateKey{a.cfg.WABAID, name, language}]
	}
	return t, ok
}
