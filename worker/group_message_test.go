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

// send sends a content to a group as the API does, and gives its end.
func (h *hall) send(m postgres.NewGroupMessage) (uuid.UUID, workflows.SendMessageResult) {
	h.t.Helper()
	m.ID, m.TeamID, m.ActorID = uuid.Must(uuid.NewV7()), h.ID, h.Member
	_, err := h.store.CreateGroupMessage(h.t.Context(), m)
	require.NoError(h.t, err)
	return m.ID, h.sent(m.ID)
}

func TestAFailedGroupMessageIsSentAgainOnce(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("again")
	h.fault(simulator.NextGroupFault{Operation: simulator.GroupSend, Code: 131051})
	m := h.say(id, "一")
	require.Equal(t, workflows.SendMessageResult{Outcome: omniflow.Failed, Code: omniflow.ContentUnsupported}, h.sent(m))
	h.record("SendMessage-failed", omniflow.SendMessageID(h.ID, m))
	require.Empty(t, h.sim.GroupDeliveries())
	again := postgres.NewGroupMessage{ID: m, TeamID: h.ID, GroupID: id, ActorID: h.Member}
	errs := make([]error, 2)
	var clicks sync.WaitGroup
	for i := range errs {
		clicks.Go(func() { errs[i] = h.store.ResendGroupMessage(t.Context(), again) })
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
	h.record("SendMessage-again", omniflow.SendMessageID(h.ID, m))
	require.ErrorAs(t, h.store.ResendGroupMessage(t.Context(), again), &no)

	// One that was accepted and failed later is the same.
	h.fault(simulator.NextGroupFault{Operation: simulator.GroupSend, Code: 131051, Async: true})
	m = h.say(id, "二")
	h.until(id, "failed", func(postgres.GroupDetail) bool { return h.newest(id).State == "failed" })
	again.ID = m
	require.NoError(t, h.store.ResendGroupMessage(t.Context(), again))
	h.until(id, "sent", func(postgres.GroupDetail) bool { return omniflow.MessageState(h.newest(id).State).Delivered() })
	require.Len(t, h.sim.GroupDeliveries(), 2)
	var traces, events int
	h.Scan(&traces, `SELECT count(*) FROM attempts WHERE message_id = $1`, m)
	h.Scan(&events, `SELECT count(*) FROM messages WHERE id = $1 AND attempt = 2 AND provider_id IS NOT NULL AND sent_at IS NOT NULL`, m)
	require.Equal(t, []int{1, 1}, []int{traces, events}, "the first attempt's trace is kept, the second one's is its own")
	again.ID = uuid.New()
	require.ErrorAs(t, h.store.ResendGroupMessage(t.Context(), again), &no)
	require.Equal(t, omniflow.NotFound, no.Code)
}

func TestAGroupMessageAnswersAnother(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("quotes")
	theirs := h.newest(id)
	text := omniflow.Content{Kind: omniflow.Text, Text: "是的"}
	ours, end := h.send(postgres.NewGroupMessage{GroupID: id, Content: text, QuotedMessageID: theirs.ID})
	require.Equal(t, omniflow.Sent, end.Outcome)
	got := h.newest(id)
	require.Equal(t, []any{theirs.ID, "您好"}, []any{*got.QuotedID, got.Quoted}, "a member's")
	_, end = h.send(postgres.NewGroupMessage{GroupID: id, Content: text, QuotedMessageID: ours})
	require.Equal(t, omniflow.Sent, end.Outcome)
	got = h.newest(id)
	require.Equal(t, []any{ours, "是的"}, []any{*got.QuotedID, got.Quoted}, "our own")
	var theirWamid, ourWamid string
	h.Scan(&theirWamid, `SELECT provider_id FROM inbound_messages WHERE id = $1`, theirs.ID)
	h.Scan(&ourWamid, `SELECT provider_id FROM messages WHERE id = $1`, ours)
	deliveries := h.sim.GroupDeliveries()
	require.Len(t, deliveries, 2)
	require.Equal(t, []string{theirWamid, ourWamid}, []string{deliveries[0].Quoted, deliveries[1].Quoted})
	_, err := h.store.CreateGroupMessage(t.Context(), postgres.NewGroupMessage{ID: uuid.New(), TeamID: h.ID, GroupID: id, ActorID: h.Member,
		Content: text, QuotedMessageID: uuid.New()})
	require.ErrorContains(t, err, "quoted_message_not_found")
}

func TestFilesGoToAGroupOnceHandedOver(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	id, _ := h.heard("files")
	file := omniflow.Media{ID: uuid.New(), Kind: omniflow.Image, MIME: "image/png", Name: "海報.png", Bytes: 8, SHA256: "s"}
	require.NoError(t, h.store.SaveMedia(t.Context(), h.ID, h.Member, file))
	picture := postgres.NewGroupMessage{GroupID: id, Content: omniflow.Content{Kind: omniflow.Image, MediaID: file.ID, Media: &file}}
	m, end := h.send(picture)
	require.Equal(t, workflows.SendMessageResult{Outcome: omniflow.Sent}, end)
	h.record("SendMessage-file", omniflow.SendMessageID(h.ID, m))
	require.Equal(t, "海報.png", h.newest(id).Text)
	_, end = h.send(picture)
	require.Equal(t, omniflow.Sent, end.Outcome)
	picture.Content.Kind = omniflow.File
	_, end = h.send(picture)
	require.Equal(t, omniflow.Sent, end.Outcome)
	require.Len(t, h.sim.GroupDeliveries(), 3)
	require.Len(t, h.sim.Uploads(), 3)
}
