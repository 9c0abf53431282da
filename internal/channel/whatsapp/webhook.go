package whatsapp

import (
	"encoding/json"
	"net/http"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// Verify checks X-Hub-Signature-256 over the raw body (section 4.2).
func (c *Client) Verify(a channel.Account, header http.Header, body []byte) error {
	return graph.Verify(a, header, body)
}

// value is what a change of the field "messages" holds (section 4.3):
//
//	{"metadata":{"phone_number_id":"1065…"},"messages":[…],"statuses":[…],"errors":[…]}
type value struct {
	Metadata struct {
		PhoneNumberID graph.Scalar `json:"phone_number_id"`
	} `json:"metadata"`
	Messages []json.RawMessage `json:"messages"`
	Statuses []json.RawMessage `json:"statuses"`
	Errors   []json.RawMessage `json:"errors"`
}

// Parse reads statuses, customers' messages and group events; template and
// account events are EventOther, whole.
func (c *Client) Parse(body []byte) ([]channel.Event, error) {
	return graph.Parse("whatsapp_business_account", body, func(e graph.Entry) []channel.Event {
		var events []channel.Event
		for _, raw := range e.Changes {
			events = append(events, change(raw)...)
		}
		return events
	})
}

func change(raw json.RawMessage) []channel.Event {
	var c graph.Change
	var v value
	if json.Unmarshal(raw, &c) != nil || json.Unmarshal(c.Value, &v) != nil {
		return []channel.Event{graph.Other("", raw)}
	}
	account := v.Metadata.PhoneNumberID.String()
	if groupFieldNames[c.Field.String()] {
		return groupEvents(account, c.Value, raw)
	}
	if c.Field != "messages" {
		return []channel.Event{graph.Other(account, raw)}
	}
	var events []channel.Event
	for _, s := range v.Statuses {
		events = append(events, statusEvent(account, s))
	}
	for _, m := range v.Messages {
		events = append(events, messageEvent(account, m))
	}
	for _, e := range v.Errors {
		events = append(events, graph.Other(account, e))
	}
	return events
}

// status is section 4.6:
//
//	{"id":"wamid.…","status":"delivered","timestamp":"1739321024","recipient_id":"886912345678",
//	  "biz_opaque_callback_data":"m1.<uuid>.1","errors":[{"code":131026,"title":"…"}]}
type status struct {
	ID               graph.Scalar `json:"id"`
	Status           graph.Scalar `json:"status"`
	Timestamp        graph.Scalar `json:"timestamp"`
	Recipient        graph.Scalar `json:"recipient_id"`
	RecipientUser    graph.Scalar `json:"recipient_user_id"`
	RecipientType    graph.Scalar `json:"recipient_type"` // "group", or absent
	Participant      graph.Scalar `json:"recipient_participant_id"`
	ParticipantOther graph.Scalar `json:"participant_recipient_id"` // the docs print both
	ParticipantUser  graph.Scalar `json:"recipient_participant_user_id"`
	Opaque           graph.Scalar `json:"biz_opaque_callback_data"`
	Errors           []struct {
		Code graph.Scalar `json:"code"`
	} `json:"errors"`
}

// evidence is what each status proves. Others, such as "deleted", prove nothing.
var evidence = map[graph.Scalar]omniflow.Evidence{
	"sent":      omniflow.Sent,
	"delivered": omniflow.Received,
	"read":      omniflow.Read,
	"played":    omniflow.Read,
	"failed":    omniflow.Failed,
}

func statusEvent(account string, raw json.RawMessage) channel.Event {
	var s status
	if json.Unmarshal(raw, &s) != nil || evidence[s.Status] == "" || s.ID == "" {
		return graph.Other(account, raw)
	}
	key, err := channel.ParseKey(s.Opaque.String())
	if err != nil {
		key = channel.Key{} // of another program, or not echoed (section 2.6)
	}
	event := channel.Event{
		Kind: channel.EventStatus, AccountID: account, Key: key, ProviderID: s.ID.String(),
		Recipient: first(s.Recipient, s.RecipientUser),
		State:     evidence[s.Status], At: s.Timestamp.Time(), Raw: raw,
	}
	if member := first(s.Participant, s.ParticipantOther, s.ParticipantUser); member != "" || s.ofGroup() {
		event.GroupID, event.Recipient = s.Recipient.String(), member // none of sent and failed
	}
	if event.State == omniflow.Failed {
		event.Fault = failure(s.code())
	}
	return event
}

// ofGroup says whether the recipient is a group, also where the type is left
// out: a number is digits, and a business-scoped id has a dot.
func (s status) ofGroup() bool {
	id := s.Recipient.String()
	return s.RecipientType == "group" || !strings.Contains(id, ".") && strings.Trim(id, "+0123456789") != ""
}

// code is that of the first error; 131000, "unknown error", where none is told.
func (s status) code() int {
	if len(s.Errors) == 0 {
		return unknownError
	}
	return s.Errors[0].Code.Int()
}

// first gives the first of ids that is not empty.
func first(ids ...graph.Scalar) string {
	for _, id := range ids {
		if id != "" {
			return id.String()
		}
	}
	return ""
}
