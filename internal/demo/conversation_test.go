package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// counter plays the desk of the story: what a customer writes is a conversation
// at once, and each look at a silent one shows it one step further.
type counter struct {
	conversations []*apiclient.Conversation
	messages      map[string][]apiclient.ConversationMessage // by conversation, newest first
	books         []simulator.Delivery
	people        map[string]simulator.InboundMessage // by conversation
	looks         int
	twice         bool // reminders
}

func (w *world) deskRoutes() {
	w.counter = counter{messages: map[string][]apiclient.ConversationMessage{}, people: map[string]simulator.InboundMessage{}}
	for _, path := range []string{"POST /v1/auto-close-rules", "PUT /v1/teams/T/survey"} {
		w.handle(path, func(*http.Request) any { return struct{}{} })
	}
	w.handle("POST /_sim/inbound", func(r *http.Request) any {
		var m simulator.InboundMessage
		_ = json.NewDecoder(r.Body).Decode(&m) // an empty one fails the test
		c := &apiclient.Conversation{ID: "C-" + string(m.Channel), Channel: string(m.Channel), State: "pending_human", Unread: 1}
		w.counter.conversations = append(w.counter.conversations, c)
		w.counter.people[c.ID] = m
		w.counter.messages[c.ID] = []apiclient.ConversationMessage{{Direction: "in", Text: m.Text}}
		return map[string][]string{"event_ids": {"e"}}
	})
	w.handle("GET /v1/conversations", func(*http.Request) any {
		list := apiclient.List[apiclient.Conversation]{}
		for _, c := range w.counter.conversations {
			list.Items = append(list.Items, *c)
		}
		return list
	})
	w.handle("GET /v1/conversations/{id}", func(r *http.Request) any { return w.counter.look(r.PathValue("id")) })
	w.handle("POST /v1/conversations/{id}", func(*http.Request) any { return apiclient.Conversation{State: "handling", FollowerName: "demo agent"} })
	w.handle("GET /v1/conversations/{id}/messages", func(r *http.Request) any {
		return apiclient.List[apiclient.ConversationMessage]{Items: w.counter.messages[r.PathValue("id")]}
	})
	w.handle("POST /v1/conversations/{id}/messages", func(r *http.Request) any {
		var c apiclient.ConversationContent
		_ = json.NewDecoder(r.Body).Decode(&c)
		w.counter.deliver(r.PathValue("id"), "agent", c.Text)
		return apiclient.Accepted{}
	})
	w.handle("GET /v1/conversations/{id}/log", func(r *http.Request) any {
		list := apiclient.List[apiclient.LogEntry]{Items: []apiclient.LogEntry{{Kind: "log", Event: "follow"}}}
		if r.PathValue("id") == "C-line" {
			list.Items = append(list.Items, apiclient.LogEntry{Kind: "log", Event: "auto_close"})
		}
		return list
	})
}

// look shows the conversation; the third look finds it reminded and ended.
func (c *counter) look(id string) apiclient.Conversation {
	if c.looks++; c.looks < 3 {
		return apiclient.Conversation{ID: id, State: "handling"}
	}
	if c.looks == 3 {
		c.deliver(id, "reminder", reminderText)
		if c.twice {
			c.deliver(id, "reminder", reminderText)
		}
		c.deliver(id, "survey", surveyText)
	}
	return apiclient.Conversation{ID: id, State: "closed"}
}

func (c *counter) deliver(id, origin, text string) {
	now := time.Now()
	c.messages[id] = append([]apiclient.ConversationMessage{{Direction: "out", Origin: origin, Text: text, State: "sent", SentAt: &now}}, c.messages[id]...)
	p := c.people[id]
	c.books = append(c.books, simulator.Delivery{Channel: p.Channel, ExternalID: p.ExternalID, Recipient: p.User, Delivered: true, ContentSHA256: simulator.TextSHA256(text)})
}

func TestStoryOfTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld()
	v, out := tell(t, w)
	require.Equal(t, deskVerdict{callers: 4, heard: 4, answers: 4, reminders: 1, surveys: 1, endings: 1}, v.desk)
	for _, want := range []string{
		"instagram  a customer writes: 這款有黑色嗎？  (pending_human, 1 unread)", "facebook   handling by demo agent, who answers: 明天下午會送達 🚚  (sent)",
		"line       the customer sees: 還在嗎？", "line       closed by the system", "line       the customer sees: 請為這次的服務評分",
		"4 answers to 4 customers, 1 reminder and 1 survey; by our log 1 of 4 conversations ended by itself",
		"http://ui/namespaces/omniflow/workflows/conversation%2FT%2FC-line", "starter conversation log $CONVERSATION",
	} {
		require.Contains(t, out, want)
	}
}

func TestStoryFindsASecondReminder(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.counter.twice = true
	v, _ := tell(t, w)
	require.Equal(t, "demo: FAILED one conversation fell silent: 2 reminders and 1 surveys were delivered", v.lastLine())
}
