package omniflow

import (
	"slices"
	"time"
)

// Bracket is what a messaging window lets through now (WIN-01, WIN-02).
type Bracket string

// The brackets. TemplateOnly is WhatsApp's, NonPromotional and Blocked are
// Facebook's; a channel without a local window is always Open (D-WIN-3).
const (
	Open           Bracket = "open"
	NonPromotional Bracket = "non_promotional"
	Blocked        Bracket = "blocked"
	TemplateOnly   Bracket = "template_only"
)

// The windows, counted from the customer's last message. Exactly that long ago
// still belongs to the more generous bracket (D-WIN-1).
const (
	ServiceWindow    = 24 * time.Hour
	HumanAgentWindow = 7 * 24 * time.Hour // Facebook, answers by people only (WIN-05)
)

// WindowState is the bracket of a conversation of type typ on ch at now. last is when
// the customer last wrote (in a group: when any member last wrote, WIN-03);
// nil means never, which counts as over (D-WIN-1).
func WindowState(ch Channel, typ ConversationType, last *time.Time, now time.Time) Bracket {
	switch {
	case ch == WhatsApp && typ != LINEGroup:
		if within(last, now, ServiceWindow) {
			return Open
		}
		return TemplateOnly
	case ch == Facebook && typ == OneToOne:
		switch {
		case within(last, now, ServiceWindow):
			return Open
		case within(last, now, HumanAgentWindow):
			return NonPromotional
		}
		return Blocked
	}
	return Open
}

// WindowUntil is the last moment at which the bracket is what it is at now: the
// input box changes after it, if the customer does not write (section 12). Zero:
// time alone does not change it.
func WindowUntil(ch Channel, typ ConversationType, last *time.Time, now time.Time) time.Time {
	if last == nil {
		return time.Time{}
	}
	for _, d := range []time.Duration{ServiceWindow, HumanAgentWindow} {
		until := last.Add(d)
		if within(last, now, d) && WindowState(ch, typ, last, until) != WindowState(ch, typ, last, until.Add(1)) {
			return until
		}
	}
	return time.Time{}
}

// within says whether last is at most d before now; never is not.
func within(last *time.Time, now time.Time, d time.Duration) bool {
	return last != nil && !now.After(last.Add(d))
}

// CheckWindow says whether a person may send a message of kind now (WIN-01 to
// WIN-06). promotional is true for a text that was sent as a shopping link, and
// for a saved reply whose stored content holds something promotional; the kinds
// that are so by themselves are known here (D-WIN-2). Refusals: window_template_only, window_non_promotional,
// window_closed.
func CheckWindow(ch Channel, typ ConversationType, kind MessageKind, promotional bool, last *time.Time, now time.Time) *Refusal {
	switch WindowState(ch, typ, last, now) {
	case TemplateOnly:
		if kind != TemplateKind {
			return templateOnly("WIN-01", typ)
		}
	case NonPromotional:
		if promotional || kind.Promotional() {
			return Refuse(WindowNonPromotional, "WIN-02", "the customer has not written within 24 hours: send nothing promotional, such as a shopping link, until they write")
		}
	case Blocked:
		return Refuse(WindowClosed, "WIN-02", "the customer has not written within 7 days: nothing can be sent until they write")
	}
	return nil
}

// CheckBroadcastWindow says whether a broadcast may send content of kind to a
// customer now; a refusal is the reason of a skipped recipient (D-BRD-3).
// Facebook's 24 h to 7 days are for answers by people, never for a broadcast,
// and Instagram lets nothing out after 24 h (channels/messenger.md section 7,
// channels/instagram.md section 4). LINE has no window.
//
// Refusals: window_template_only, window_closed, broadcast_channel_unsupported.
func CheckBroadcastWindow(ch Channel, kind MessageKind, last *time.Time, now time.Time) *Refusal {
	if !slices.Contains(BroadcastChannels[:], ch) {
		return unsupportedChannels(ch)
	}
	broadcast := BroadcastMessage
	if kind == TemplateKind {
		broadcast = BroadcastTemplate
	}
	w := WindowOfBroadcast(broadcast, ch)
	switch {
	case w.Max == 0 || within(last, now, w.Max):
		return nil
	case w.Code == WindowTemplateOnly:
		return templateOnly("D-BRD-3", OneToOne)
	}
	return Refuse(w.Code, "D-BRD-3", "the customer last wrote over 24 hours ago; a broadcast on %s needs an open window", ch)
}

func templateOnly(rule string, typ ConversationType) *Refusal {
	who := "the customer has not written"
	if typ == WhatsAppGroup {
		who = "nobody of the group has written"
	}
	return Refuse(WindowTemplateOnly, rule, "%s within 24 hours: send a template", who)
}
