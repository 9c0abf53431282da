package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/config"
	"omniflow/internal/omniflow"
)

// parsed is a provider that has read a webhook already.
type parsed struct {
	channel.Provider
	events []channel.Event
	err    error
}

func (p parsed) Parse([]byte) ([]channel.Event, error) { return p.events, p.err }

var (
	theTeam    = uuid.MustParse("0190b6a4-0000-7000-8000-000000000001")
	theAccount = uuid.MustParse("0190b6a4-0000-7000-8000-000000000002")
	theMessage = uuid.MustParse("0190b6a4-0000-7000-8000-000000000003")
	eventAt    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	receivedAt = eventAt.Add(7 * time.Second)
)

func item(ch omniflow.Channel, body string) omniflow.InboxItem {
	return omniflow.InboxItem{ID: 1, TeamID: theTeam, Channel: ch, ChannelAccountID: theAccount, Body: []byte(body), ReceivedAt: receivedAt}
}

// status is evidence as the intake should hold it, but for what each test changes.
func status(change func(*omniflow.Status)) omniflow.Status {
	s := omniflow.Status{TeamID: theTeam, ChannelAccountID: theAccount, State: omniflow.Sent, ProviderID: "p", At: eventAt, Raw: json.RawMessage(`{"a":1}`)}
	change(&s)
	return s
}

func TestEventsAreSortedByWhatIsDoneWithThem(t *testing.T) {
	t.Parallel()
	key := channel.Key{MessageID: theMessage, Attempt: 2}
	raw := []byte(`{"a":1}`)
	keyed := status(func(s *omniflow.Status) { s.MessageID, s.Attempt = theMessage, 2 })
	for _, c := range []struct {
		name  string
		ch    omniflow.Channel
		event channel.Event
		want  omniflow.Intake
	}{
		{"a status with our key", omniflow.WhatsApp,
			channel.Event{Kind: channel.EventStatus, Key: key, ProviderID: "p", Recipient: "r", State: omniflow.Sent, At: eventAt, Raw: raw},
			omniflow.Intake{Statuses: []omniflow.Status{keyed}}},
		{"a failure says why", omniflow.WhatsApp,
			channel.Event{Kind: channel.EventStatus, Key: key, ProviderID: "p", State: omniflow.Failed, At: eventAt, Raw: raw,
				Fault: &channel.Error{Fault: channel.Rejected, Code: "131026", Reason: "not_on_whatsapp"}},
			omniflow.Intake{Statuses: []omniflow.Status{status(func(s *omniflow.Status) {
				s.MessageID, s.Attempt, s.State, s.Code = theMessage, 2, omniflow.Failed, "not_on_whatsapp"
			})}}},
		{"WhatsApp's failure without a key is found by its id", omniflow.WhatsApp,
			channel.Event{Kind: channel.EventStatus, ProviderID: "p", Recipient: "r", State: omniflow.Failed, At: eventAt, Raw: raw,
				Fault: &channel.Error{Reason: "window_closed"}},
			omniflow.Intake{Clues: []omniflow.Clue{{Recipient: "r", Status: status(func(s *omniflow.Status) { s.State, s.Code = omniflow.Failed, "window_closed" })}}}},
		{"Messenger's echo with our key", omniflow.Facebook,
			channel.Event{Kind: channel.EventStatus, Key: key, ProviderID: "p", Recipient: "r", State: omniflow.Sent, Echo: true, Text: "t", At: eventAt, Raw: raw},
			omniflow.Intake{Statuses: []omniflow.Status{keyed}}},
		{"Messenger's echo of another app has no text to go by", omniflow.Facebook,
			channel.Event{Kind: channel.EventStatus, ProviderID: "p", Recipient: "r", State: omniflow.Sent, Echo: true, Text: "t", At: eventAt, Raw: raw},
			omniflow.Intake{Clues: []omniflow.Clue{{Recipient: "r", Echo: true, Status: status(func(*omniflow.Status) {})}}}},
		{"Instagram's echo has", omniflow.Instagram,
			channel.Event{Kind: channel.EventStatus, ProviderID: "p", Recipient: "r", State: omniflow.Sent, Echo: true, Text: "t", At: eventAt, Raw: raw},
			omniflow.Intake{Clues: []omniflow.Clue{{Recipient: "r", Echo: true, Text: "t", Status: status(func(*omniflow.Status) {})}}}},
		{"a watermark", omniflow.Facebook,
			channel.Event{Kind: channel.EventWatermark, Recipient: "r", State: omniflow.Read, At: eventAt, Raw: raw},
			omniflow.Intake{Clues: []omniflow.Clue{{Recipient: "r", Watermark: true, Status: status(func(s *omniflow.Status) { s.State, s.ProviderID = omniflow.Read, "" })}}}},
		{"a customer's message", omniflow.LINE,
			channel.Event{Kind: channel.EventMessage, ProviderID: "p", Recipient: "r", MessageType: "text", Text: "t", At: eventAt, Raw: raw},
			omniflow.Intake{Messages: []omniflow.CustomerMessage{{TeamID: theTeam, Channel: omniflow.LINE, ChannelAccountID: theAccount, Sender: "r",
				ProviderID: "p", Kind: "text", Text: "t", At: eventAt, Raw: raw}}}},
		{"without a time it is that of the request", omniflow.LINE,
			channel.Event{Kind: channel.EventMessage, ProviderID: "p", Recipient: "r", MessageType: "text", Text: "t", Raw: raw},
			omniflow.Intake{Messages: []omniflow.CustomerMessage{{TeamID: theTeam, Channel: omniflow.LINE, ChannelAccountID: theAccount, Sender: "r",
				ProviderID: "p", Kind: "text", Text: "t", At: receivedAt, Raw: raw}}}},
		{"so is a status's", omniflow.WhatsApp,
			channel.Event{Kind: channel.EventStatus, Key: key, ProviderID: "p", State: omniflow.Sent, Raw: raw},
			omniflow.Intake{Statuses: []omniflow.Status{status(func(s *omniflow.Status) { s.MessageID, s.Attempt, s.At = theMessage, 2, receivedAt })}}},
		{"what is not handled yet", omniflow.WhatsApp, channel.Event{Kind: channel.EventOther, Raw: raw}, omniflow.Intake{}},
		{"a kind that nobody knows", omniflow.WhatsApp, channel.Event{Kind: "poll", Key: key, Raw: raw}, omniflow.Intake{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := relay{channels: channelSet{c.ch: parsed{events: []channel.Event{c.event}}}, log: slog.New(slog.DiscardHandler)}
			require.Equal(t, c.want, r.read([]omniflow.InboxItem{item(c.ch, `{}`)}))
		})
	}
}

func TestWhatCannotBeReadIsADeadLetterAndStopsNothing(t *testing.T) {
	t.Parallel()
	good := parsed{events: []channel.Event{{Kind: channel.EventMessage, ProviderID: "p", At: eventAt}}}
	r := relay{channels: channelSet{omniflow.LINE: good, omniflow.WhatsApp: parsed{err: errors.New("no envelope")}}, log: slog.New(slog.DiscardHandler)}
	in := r.read([]omniflow.InboxItem{item(omniflow.WhatsApp, `{"a": 1}`), item(omniflow.WhatsApp, "<html>"), item("telegram", `[]`), item(omniflow.LINE, `{}`)})
	require.Len(t, in.Messages, 1)
	dead := func(ch omniflow.Channel, event string) omniflow.DeadLetter {
		return omniflow.DeadLetter{TeamID: theTeam, Channel: ch, ChannelAccountID: theAccount, Reason: omniflow.EnvelopeInvalid, Event: json.RawMessage(event)}
	}
	require.Equal(t, []omniflow.DeadLetter{dead(omniflow.WhatsApp, `{"a": 1}`), dead(omniflow.WhatsApp, `"\u003chtml\u003e"`), dead("telegram", `[]`)}, in.Dead)
}

// The bodies are those of the providers' documentation.
func TestRealBodies(t *testing.T) {
	t.Parallel()
	r := relay{channels: providers(config.Worker{}), log: slog.New(slog.DiscardHandler)}
	echo := `"messaging":[{"sender":{"id":"9"},"recipient":{"id":"7"},"timestamp":1767323045000,"message":{"mid":"m_1","is_echo":true,"app_id":5,"text":"您好"}}]`
	in := r.read([]omniflow.InboxItem{
		item(omniflow.Facebook, `{"object":"page","entry":[{"id":"9","time":1,`+echo+`}]}`),
		item(omniflow.Instagram, `{"object":"instagram","entry":[{"id":"9","time":1,`+echo+`}]}`),
		item(omniflow.WhatsApp, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"2"},
			"statuses":[{"id":"wamid.1","status":"delivered","timestamp":"1767323045","recipient_id":"886900000000","biz_opaque_callback_data":"m1.`+theMessage.String()+`.3"},
			{"id":"wamid.2","status":"failed","timestamp":"1767323045","recipient_id":"886900000000","errors":[{"code":131047}]}]}}]}]}`),
	})
	require.Empty(t, in.Dead)
	require.Len(t, in.Clues, 3)
	require.Equal(t, []any{"7", "", true, "m_1"}, []any{in.Clues[0].Recipient, in.Clues[0].Text, in.Clues[0].Echo, in.Clues[0].ProviderID})
	require.Equal(t, []any{"7", "您好", true, "m_1"}, []any{in.Clues[1].Recipient, in.Clues[1].Text, in.Clues[1].Echo, in.Clues[1].ProviderID})
	require.Equal(t, []any{"886900000000", omniflow.Failed, omniflow.WindowClosed, "wamid.2"}, []any{in.Clues[2].Recipient, in.Clues[2].State, in.Clues[2].Code, in.Clues[2].ProviderID})
	require.Len(t, in.Statuses, 1)
	require.Equal(t, []any{theMessage, 3, omniflow.Received, "wamid.1"}, []any{in.Statuses[0].MessageID, in.Statuses[0].Attempt, in.Statuses[0].State, in.Statuses[0].ProviderID})
	require.True(t, eventAt.Equal(in.Statuses[0].At))
}
