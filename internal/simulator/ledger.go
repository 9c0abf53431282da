package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Delivery is the ground truth about one message: one request that was taken,
// for one recipient. A LINE request with several objects is one message.
type Delivery struct {
	Channel    Channel `json:"channel"`
	ExternalID string  `json:"external_id"`
	Recipient  string  `json:"recipient"`
	// Key is what the sender attached: biz_opaque_callback_data, metadata or
	// X-Line-Retry-Key; "" if nothing.
	Key        string `json:"key"`
	ProviderID string `json:"provider_id"`
	// ContentSHA256 is of what the recipient sees: of the UTF-8 text of a plain
	// text message, else of the content as JSON with sorted keys.
	ContentSHA256 string    `json:"content_sha256"`
	At            time.Time `json:"at"`
	// Response is how the sender was answered: "ok", or the fault.
	Response string `json:"response"`
	// Delivered is false for a message that was taken and never reached the
	// recipient: blocked, or failed afterwards with FailureCode.
	Delivered   bool `json:"delivered"`
	FailureCode int  `json:"failure_code,omitempty"`
	// Quoted is the message that this one answers, and Tag what lets it out
	// after the window.
	Quoted string `json:"quoted,omitempty"`
	Tag    string `json:"tag,omitempty"`
}

// record is a Delivery as it is kept: 100,000 of them take about 20 MB.
type record struct {
	recipient, key, id string
	hash               [sha256.Size]byte
	at                 time.Time
	fault              Fault
	delivered          bool
	failure            int
	quoted, tag        string
}

// ledger is the memory of one account about what it delivered.
type ledger struct {
	log        []record
	seen       map[[16]byte]struct{} // recipient and content
	duplicates int
	examples   []record
}

// maxExamples bounds the duplicates that a summary shows.
const maxExamples = 10

// enter notes one taken message. It runs under a.mu.
func (a *account) enter(rec record) {
	rec.at = a.clock()
	l := &a.ledger
	switch {
	case rec.delivered:
		a.counts.accepted++
		if p := a.person(rec.recipient); !p.reached {
			p.reached = true
			a.counts.recipients++
		}
		if l.again(rec) && len(l.examples) < maxExamples {
			l.examples = append(l.examples, rec)
		}
	case rec.failure != 0:
		a.counts.failedLater++
	default:
		a.counts.silentlyDropped++
	}
	if on(a.cfg.Retain) {
		l.log = append(l.log, rec)
	}
}

// again says whether the recipient has had the same content before.
func (l *ledger) again(rec record) bool {
	h := sha256.New()
	h.Write([]byte(rec.recipient))
	h.Write(rec.hash[:])
	var key [16]byte
	copy(key[:], h.Sum(nil))
	if l.seen == nil {
		l.seen = map[[16]byte]struct{}{}
	}
	if _, ok := l.seen[key]; ok {
		l.duplicates++
		return true
	}
	l.seen[key] = struct{}{}
	return false
}

func (a *account) delivery(rec record) Delivery {
	d := Delivery{
		Channel: a.channel, ExternalID: a.id, Recipient: rec.recipient,
		Key: rec.key, ProviderID: rec.id, ContentSHA256: hex.EncodeToString(rec.hash[:]),
		At: rec.at.UTC(), Response: "ok", Delivered: rec.delivered, FailureCode: rec.failure,
		Quoted: rec.quoted, Tag: rec.tag,
	}
	switch rec.fault {
	case Lost500, LostReset, LostHang, Truncated:
		d.Response = string(rec.fault)
	}
	return d
}

// Truth lists what was delivered, in the order of acceptance within each
// account. An empty channel or id stands for all. Accounts with Retain off
// have nothing to list.
func (s *Server) Truth(channel Channel, externalID string) []Delivery {
	list := []Delivery{}
	for _, a := range s.all() {
		if !matches(channel, externalID, a) {
			continue
		}
		for _, rec := range a.records() {
			list = append(list, a.delivery(rec))
		}
	}
	return list
}

// records is the log so far; entries never change, so sharing them is safe.
func (a *account) records() []record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ledger.log[:len(a.ledger.log):len(a.ledger.log)]
}

// TextSHA256 is the ContentSHA256 of a plain text message.
func TextSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
