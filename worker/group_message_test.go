package main

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/simulator"
	"omniflow/workflows"
)

// oneFile is a store that has one picture under every id.
type oneFile struct{}

func (oneFile) Read(context.Context, uuid.UUID) ([]byte, error) {
	return []byte("\x89PNG\r\n\x1a\n"), nil
}

func (oneFile) Links(omniflow.Channel, omniflow.Media) (link, preview string) { return "", "" }

// newest is the newest message of a group.
func (h *hall) newest(id uuid.UUID) postgres.GroupMessage {
	h.t.Helper()
	list, err := h.store.GroupMessages(h.t.Context(), h.ID, id, 10)
	require.NoError(h.t, err)
	require.NotEmpty(h.t, list)
	return list[0]
}

// send sends a content to a group as the API does, and waits until it has left.
func (h *hall) send(m postgres.NewGroupMessage) uuid.UUID {
	h.t.Helper()
	m.ID, m.TeamID, m.ActorID = uuid.Must(uuid.NewV7()), h.ID, h.Member
	_, err := h.store.SendGroupMessage(h.t.Context(), m)
	require.NoError(h.t, err)
	state, code := h.outcomeOf(m.ID)
	require.True(h.t, state.Delivered(), "%s %s", state, code)
	return m.ID
}

func TestAFailedGroupMessageIsSentAgainOnce(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("again")
	h.fault(simulator.NextGroupFault{Operation: simulator.GroupSend, Code: 131051})
	m := h.say(id, "一")
	h.fails(m, omniflow.ContentUnsupported)
	require.Empty(t, h.sim.GroupDeliveries())
	again := omniflow.ResendInput{ConversationRef: omniflow.ConversationRef{TeamID: h.ID, ConversationID: id}, MessageID: m, ActorID: h.Member}
	errs := make([]error, 2)
	var clicks sync.WaitGroup
	for i := range errs {
		clicks.Go(func() { errs[i] = h.store.ResendMessage(t.Context(), again) })
	}
	clicks.Wait()
	if errs[0] != nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	require.NoError(t, errs[0])
	var no *omniflow.Refusal
	require.ErrorAs(t, errs[1], &no, "one click twice is one resend")
	require.Equal(t, omniflow.MessageNotFailed, no.Code)
	h.until(id, "sent", func(postgres.GroupDetail) bool { return omniflow.MessageState(h.newest(id).State).Delivered() })
	require.Len(t, h.sim.GroupDeliveries(), 1)
	require.Empty(t, h.show(id).SendCode)
	require.ErrorAs(t, h.store.ResendMessage(t.Context(), again), &no)

	// One that was accepted and failed later is the same.
	h.fault(simulator.NextGroupFault{Operation: simulator.GroupSend, Code: 131051, Async: true})
	m = h.say(id, "二")
	h.until(id, "failed", func(postgres.GroupDetail) bool { return h.newest(id).State == "failed" })
	again.MessageID = m
	require.NoError(t, h.store.ResendMessage(t.Context(), again))
	h.until(id, "sent", func(postgres.GroupDetail) bool { return omniflow.MessageState(h.newest(id).State).Delivered() })
	require.Len(t, h.sim.GroupDeliveries(), 2)
	var traces, events int
	h.Scan(&traces, `SELECT count(*) FROM attempts WHERE message_id = $1`, m)
	h.Scan(&events, `SELECT count(*) FROM messages WHERE id = $1 AND attempt = 2 AND provider_id IS NOT NULL AND sent_at IS NOT NULL`, m)
	require.Equal(t, []int{1, 1}, []int{traces, events}, "the first attempt's trace is kept, the second one's is its own")
	again.MessageID = uuid.New()
	require.ErrorAs(t, h.store.ResendMessage(t.Context(), again), &no)
	require.Equal(t, omniflow.NotFound, no.Code)
	h.ends(id)
	h.record("ServeConversation-group", omniflow.ServeConversationID(h.ID, id))
}

func TestAGroupMessageAnswersAnother(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("quotes")
	theirs := h.newest(id)
	text := omniflow.Content{Kind: omniflow.Text, Text: "是的"}
	ours := h.send(postgres.NewGroupMessage{GroupID: id, Content: text, QuotedID: theirs.ID})
	got := h.newest(id)
	require.Equal(t, []any{theirs.ID, "您好"}, []any{*got.QuotedID, got.Quoted}, "a member's")
	h.send(postgres.NewGroupMessage{GroupID: id, Content: text, QuotedID: ours})
	got = h.newest(id)
	require.Equal(t, []any{ours, "是的"}, []any{*got.QuotedID, got.Quoted}, "our own")
	var theirWamid, ourWamid string
	h.Scan(&theirWamid, `SELECT provider_id FROM inbound_messages WHERE id = $1`, theirs.ID)
	h.Scan(&ourWamid, `SELECT provider_id FROM messages WHERE id = $1`, ours)
	deliveries := h.sim.GroupDeliveries()
	require.Len(t, deliveries, 2)
	require.Equal(t, []string{theirWamid, ourWamid}, []string{deliveries[0].Quoted, deliveries[1].Quoted})
	_, err := h.store.SendGroupMessage(t.Context(), postgres.NewGroupMessage{ID: uuid.New(), TeamID: h.ID, GroupID: id, ActorID: h.Member,
		Content: text, QuotedID: uuid.New()})
	require.ErrorContains(t, err, "quoted_message_not_found")
}

func TestFilesGoToAGroupOnceHandedOver(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("files")
	file := omniflow.Media{ID: uuid.New(), Kind: omniflow.Image, MIME: "image/png", Name: "海報.png", Bytes: 8, SHA256: "s"}
	require.NoError(t, h.store.SaveMedia(t.Context(), h.ID, h.Member, file))
	picture := postgres.NewGroupMessage{GroupID: id, Content: omniflow.Content{Kind: omniflow.Image, MediaID: file.ID, Media: &file}}
	h.send(picture)
	require.Equal(t, "海報.png", h.newest(id).Text)
	h.send(picture)
	picture.Content.Kind = omniflow.File
	h.send(picture)
	require.Len(t, h.sim.GroupDeliveries(), 3)
	require.Len(t, h.sim.Uploads(), 3)
}

// A group ends by itself like any conversation: a member waits for a person, a
// person's reply ends the wait, and silence after it brings the reminder, once,
// and the end (WTG-04, CLS-01, D-CLS-2). No survey goes to a group.
func TestWTG04AGroupWaitsIsAnsweredAndEnds(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.Exec(`UPDATE teams SET survey_text = '滿意嗎?' WHERE team_id = $1`, h.ID)
	h.Exec(`INSERT INTO auto_close_rules (id, team_id, name, channels, enabled, duration, grace, reminder)
		VALUES ($1, $2, 'all', '{whatsapp}', true, '3 seconds', '1 second', '還在嗎?')`, uuid.New(), h.ID)
	id, _ := h.heard("ends")
	waits := func() (out bool) {
		h.Scan(&out, `SELECT waiting_since IS NOT NULL FROM conversations WHERE id = $1`, id)
		return out
	}
	require.True(t, waits(), "a member wrote")
	m := h.say(id, "1")
	state, _ := h.outcomeOf(m)
	require.True(t, state.Delivered())
	h.until(id, "answered", func(postgres.GroupDetail) bool { return !waits() })
	h.until(id, "ended", func(g postgres.GroupDetail) bool { return g.ConversationState == omniflow.Closed })
	var out workflows.ServeConversationResult
	h.result(omniflow.ServeConversationID(h.ID, id), &out)
	require.Equal(t, omniflow.OutcomeAutoClosed, out.Outcome)
	h.record("ServeConversation-group-auto_closed", omniflow.ServeConversationID(h.ID, id))
	var said string
	h.Scan(&said, `SELECT string_agg(x.origin || ' ' || (k.body -> 0 ->> 'text'), ', ' ORDER BY x.place) FROM conversation_messages x
		JOIN messages m ON m.id = x.message_id JOIN contents k ON k.id = m.content_id WHERE x.conversation_id = $1 AND m.state IN ('sent', 'received', 'read')`, id)
	require.Equal(t, "agent 1, reminder 還在嗎?", said)
	require.Len(t, h.sim.GroupDeliveries(), 2, "each once")
}
