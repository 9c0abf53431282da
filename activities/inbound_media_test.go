package activities_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/activities"
	"omniflow/internal/channel"
	"omniflow/internal/media"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

// letterbox is a stage at which customers' files arrive.
type letterbox struct {
	*stage
	hooks chan []byte
	kept  *media.Store
}

func newLetterbox(t *testing.T) *letterbox {
	t.Helper()
	b := &letterbox{stage: newStage(t), hooks: make(chan []byte, 10)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.hooks <- body
	}))
	t.Cleanup(receiver.Close)
	b.sim.SetAddress(b.url)
	for _, a := range b.sim.Accounts() {
		a.WebhookURL = receiver.URL
		require.NoError(t, b.sim.AddAccounts(a))
	}
	require.NoError(t, b.sim.SetWebhooks(simulator.Webhooks{BatchMax: 1, Retry: true}))
	var err error
	b.kept, err = media.OpenStore(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.kept.Close()) })
	b.acts = activities.New(b.store, noSecrets{b.Team}, b.senders, silent{}, slog.New(slog.DiscardHandler), make(chan struct{}),
		activities.WithInboundFiles(b.store, b.kept))
	return b
}

// sends lets a customer of ch send files in one message, as far as the database.
func (b *letterbox) sends(ch omniflow.Channel, kind string, files ...simulator.File) {
	b.t.Helper()
	account := b.Account[string(ch)]
	_, err := b.sim.Inbound(simulator.InboundMessage{Channel: simulator.Channel(ch), ExternalID: postgrestest.ExternalID(string(ch), account),
		User: postgrestest.Recipient(string(ch), 0), Kind: kind, Files: files})
	require.NoError(b.t, err)
	var body []byte
	select {
	case body = <-b.hooks:
	case <-time.After(20 * time.Second):
		require.Fail(b.t, "no webhook came")
	}
	events, err := b.senders[ch].(channel.Webhooks).Parse(body)
	require.NoError(b.t, err)
	_, err = b.store.ReceiveWebhooks(b.t.Context(), []postgres.Webhook{{TeamID: b.ID, Channel: ch, ChannelAccountID: account, Body: body}})
	require.NoError(b.t, err)
	_, err = b.store.DrainInbox(b.t.Context(), 10, func([]omniflow.InboxItem) (in omniflow.Intake) {
		for _, e := range events {
			in.Messages = append(in.Messages, omniflow.CustomerMessage{TeamID: b.ID, Channel: ch, ChannelAccountID: account, Sender: e.Recipient,
				ProviderID: e.ProviderID, Kind: e.MessageType, Received: e.Received, Media: e.Media, At: time.Now(), Raw: []byte(`{}`)})
		}
		return in
	})
	require.NoError(b.t, err)
}

// round fetches what is due, whatever it waits for.
func (b *letterbox) round() int {
	b.t.Helper()
	b.Exec(`UPDATE inbound_media SET due_at = now() WHERE state = 'pending'`)
	n, err := b.acts.FetchInboundMedia(b.t.Context())
	require.NoError(b.t, err)
	return n
}

func (b *letterbox) states() []string {
	b.t.Helper()
	var out []string
	b.Scan(&out, `SELECT array_agg(concat_ws(' ', state, NULLIF(code, '')) ORDER BY inbound_message_id, part) FROM inbound_media`)
	return out
}

const pngStart = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

func TestFilesOfCustomersAreKeptOnEveryChannel(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			b := newLetterbox(t)
			data := append([]byte(pngStart), bytes.Repeat([]byte("x"), 3<<20)...)
			b.sends(ch, "image", simulator.File{Data: data, NotReady: 1})
			require.Equal(t, 1, b.round())
			require.Equal(t, []string{"pending provider_unavailable"}, b.states())
			require.Equal(t, 1, b.round())
			require.Equal(t, []string{"stored"}, b.states())
			require.Zero(t, b.round(), "once")

			var id uuid.UUID
			b.Scan(&id, `SELECT media_id FROM inbound_media`)
			m, err := b.store.FindMedia(t.Context(), b.ID, id)
			require.NoError(t, err)
			require.Equal(t, omniflow.Image, m.Kind)
			require.Equal(t, "image/png", m.MIME)
			require.Equal(t, "file.png", m.Name)
			got, err := b.kept.Read(t.Context(), id)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
		})
	}
}

func TestFilesThatAreNotKept(t *testing.T) {
	t.Parallel()
	b := newLetterbox(t)
	for _, c := range []struct {
		name, want string
		ch         omniflow.Channel
		kind       string
		file       simulator.File
	}{
		{"gone", "unavailable media_unavailable", omniflow.LINE, "image", simulator.File{Data: []byte("x"), Fault: simulator.FileGone}},
		{"a lapsed link", "unavailable media_unavailable", omniflow.Facebook, "image", simulator.File{Data: []byte("x"), Fault: simulator.FileExpired}},
		{"too large for the provider", "unavailable media_unavailable", omniflow.WhatsApp, "video", simulator.File{Data: []byte("x"), Fault: simulator.FileTooLarge}},
		{"100 MB and a byte", "rejected media_too_large", omniflow.WhatsApp, "document", simulator.File{Name: "a.bin", Data: []byte("x"), Size: omniflow.MaxMediaBytes + 1}},
		{"empty", "rejected message_empty", omniflow.LINE, "image", simulator.File{}},
		{"a program that calls itself a picture", "rejected media_type_unsupported", omniflow.WhatsApp, "document", simulator.File{Name: "cat.png", Data: []byte("MZ\x90\x00")}},
		{"a link that leads elsewhere", "unavailable media_unavailable", omniflow.Instagram, "image", simulator.File{Data: []byte("x")}},
	} {
		b.Exec(`DELETE FROM inbound_media`)
		b.sends(c.ch, c.kind, c.file)
		if c.ch == omniflow.Instagram {
			b.Exec(`UPDATE inbound_media SET handle = 'http://169.254.169.254/latest/meta-data'`)
		}
		b.round()
		require.Equal(t, []string{c.want}, b.states(), c.name)
		require.Zero(t, b.round(), c.name)
		var kept int
		b.Scan(&kept, `SELECT count(*) FROM media`)
		require.Zero(t, kept, c.name)
	}
}

func TestAFileCutInTheMiddleIsFetchedAgain(t *testing.T) {
	t.Parallel()
	b := newLetterbox(t)
	data := append([]byte(pngStart), bytes.Repeat([]byte("x"), 100_000)...)
	b.sends(omniflow.Facebook, "image", simulator.File{Data: data, Fault: simulator.FileCut}, simulator.File{Data: data})
	require.Equal(t, 2, b.round())
	require.Equal(t, []string{"pending provider_unavailable", "stored"}, b.states(), "each file by itself")
	require.Equal(t, 1, b.round())
	require.Equal(t, []string{"stored", "stored"}, b.states())
}

// A worker dies after it kept the file and before it noted so: the next one
// keeps it under the same id.
func TestAFileOfADeadWorkerIsKeptOnce(t *testing.T) {
	t.Parallel()
	b := newLetterbox(t)
	b.sends(omniflow.LINE, "image", simulator.File{Data: []byte(pngStart)})
	dying := activities.New(b.store, noSecrets{b.Team}, b.senders, silent{}, slog.New(slog.DiscardHandler), make(chan struct{}),
		activities.WithInboundFiles(forgetful{b.store}, b.kept))
	n, err := dying.FetchInboundMedia(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{"pending"}, b.states())
	n, err = b.acts.FetchInboundMedia(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "the lease is not over")
	require.Equal(t, 1, b.round())
	require.Equal(t, []string{"stored"}, b.states())
	var kept int
	b.Scan(&kept, `SELECT count(*) FROM media`)
	require.Equal(t, 1, kept)
}

// forgetful notes nothing, as a worker that dies.
type forgetful struct{ activities.InboundFiles }

func (forgetful) FinishInboundMedia(context.Context, omniflow.InboundFile, omniflow.InboundFileResult) (bool, error) {
	return false, context.DeadlineExceeded
}

func TestAFileWaitsForAnAccountThatIsMended(t *testing.T) {
	t.Parallel()
	b := newLetterbox(t)
	b.sends(omniflow.LINE, "image", simulator.File{Data: []byte(pngStart)})
	b.Exec(`UPDATE inbound_media SET tries = 100`)
	for _, a := range b.sim.Accounts() {
		if a.Channel == simulator.LINE {
			a.Token = "a new one"
			require.NoError(t, b.sim.AddAccounts(a))
		}
	}
	require.Equal(t, 1, b.round())
	require.Equal(t, []string{"pending account_stopped"}, b.states())
	b.Exec(`UPDATE inbound_media SET born_at = now() - interval '8 days'`)
	require.Equal(t, 1, b.round())
	require.Equal(t, []string{"unavailable retries_exhausted"}, b.states())
}
