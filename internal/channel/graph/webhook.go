package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"omniflow/internal/channel"
)

// Entry is one element of the envelope that all three objects share:
//
//	{"object":"page","entry":[{"id":"PAGE_ID","time":1700000000000,
//	  "messaging":[…],"standby":[…],"changes":[{"field":"…","value":{…}}]}]}
type Entry struct {
	ID        Scalar            `json:"id"`
	Time      Scalar            `json:"time"`
	Messaging []json.RawMessage `json:"messaging"`
	Standby   []json.RawMessage `json:"standby"` // another app owns the thread
	Changes   []json.RawMessage `json:"changes"`
}

// Change is one element of Entry.Changes.
type Change struct {
	Field Scalar          `json:"field"`
	Value json.RawMessage `json:"value"`
}

type envelope struct {
	Object Scalar            `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

var errEnvelope = errors.New("not this provider's envelope")

// Parse splits a body whose object is as named, and lets each make events of
// one entry. An entry of an unexpected shape becomes one EventOther. Some
// examples of Meta wrap the envelope into an array; that is read too.
func Parse(object string, body []byte, each func(Entry) []channel.Event) ([]channel.Event, error) {
	list, err := envelopes(body)
	if err != nil {
		return nil, err
	}
	events := []channel.Event{}
	for _, env := range list {
		if env.Object.String() != object {
			return nil, fmt.Errorf("parse webhook of object %s: %w", object, errEnvelope)
		}
		for _, raw := range env.Entry {
			var entry Entry
			if json.Unmarshal(raw, &entry) != nil {
				events = append(events, Other("", raw))
				continue
			}
			events = append(events, each(entry)...)
		}
	}
	return events, nil
}

func envelopes(body []byte) ([]envelope, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		var list []envelope
		if err := json.Unmarshal(body, &list); err != nil || len(list) == 0 {
			return nil, fmt.Errorf("parse webhook: %w", errEnvelope)
		}
		return list, nil
	}
	var one envelope
	if err := json.Unmarshal(body, &one); err != nil {
		return nil, fmt.Errorf("parse webhook: %w", errEnvelope)
	}
	return []envelope{one}, nil
}

// Other is the event of something that is kept and not understood.
func Other(accountID string, raw []byte) channel.Event {
	return channel.Event{Kind: channel.EventOther, AccountID: accountID, Raw: raw}
}
