package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"omniflow/activities"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

// shelf keeps files in memory; base "" means no public address.
type shelf struct {
	data map[uuid.UUID][]byte
	base string
}

func (f *shelf) Read(_ context.Context, id uuid.UUID) ([]byte, error) { return f.data[id], nil }

func (f *shelf) Links(_ omniflow.Channel, m omniflow.Media) (link, preview string) {
	if f.base == "" {
		return "", ""
	}
	return f.base + m.ID.String(), f.base + m.ID.String() + "/preview"
}

// withFiles gives the stage a store of files.
func (s *stage) withFiles() *shelf {
	files := &shelf{data: map[uuid.UUID][]byte{}, base: "https://api.example.com/media/"}
	s.acts = activities.New(s.store, noSecrets{s.Team}, s.senders, silent{}, slog.New(slog.DiscardHandler), make(chan struct{}), activities.WithFiles(files))
	return files
}

// file stores a small file of a kind and is a message with it.
func (s *stage) file(f *shelf, kind omniflow.MessageKind) omniflow.Content {
	s.t.Helper()
	m := omniflow.Media{ID: uuid.Must(uuid.NewV7()), Kind: kind, MIME: "application/pdf", Name: "型錄.pdf", SHA256: "x"}
	data := []byte("%PDF-1.7\n" + m.ID.String())
	switch kind {
	case omniflow.Image:
		var out bytes.Buffer
		require.NoError(s.t, png.Encode(&out, image.NewGray(image.Rect(0, 0, 2, 2))))
		m.MIME, m.Name, data = "image/png", "a.png", out.Bytes()
	case omniflow.Video:
		m.MIME, m.Name, data = "video/mp4", "a.mp4", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
	}
	m.Bytes = int64(len(data))
	f.data[m.ID] = data
	require.NoError(s.t, s.store.SaveMedia(s.t.Context(), s.ID, s.Member, m))
	return omniflow.Content{Kind: kind, MediaID: m.ID, Media: &m}
}

// planContents plans a broadcast of contents to an audience; it may be planned
// only where it has recipients.
func (s *stage) planContents(a omniflow.Audience, messages ...omniflow.Content) uuid.UUID {
	s.t.Helper()
	body, err := json.Marshal(omniflow.BroadcastRequest{Kind: omniflow.BroadcastMessage, Audience: a, Messages: messages})
	require.NoError(s.t, err)
	in := activities.BroadcastInput{TeamID: s.ID, BroadcastID: s.Broadcast(body)}
	plan, err := s.acts.PlanBroadcast(s.t.Context(), in)
	require.NoError(s.t, err)
	for _, lane := range plan.Lanes {
		s.lanes[lane.Channel] = lane
	}
	return in.BroadcastID
}

// everybody is everybody in my handling.
var everybody = omniflow.Audience{All: true}

func say(text string) omniflow.Content { return omniflow.Content{Kind: omniflow.Text, Text: text} }

func (s *stage) status(ch omniflow.Channel) omniflow.LaneStatus {
	s.t.Helper()
	st, err := s.acts.LaneStatus(s.t.Context(), activities.LaneInput{Lane: s.lanes[ch], SliceSize: 60})
	require.NoError(s.t, err)
	return st
}

func (s *stage) prepare(ch omniflow.Channel) (activities.PrepareLaneResult, error) {
	return s.acts.PrepareLane(s.t.Context(), activities.LaneInput{Lane: s.lanes[ch]})
}

// name names the customer of the n-th of Customers.
func (s *stage) name(ch omniflow.Channel, n int, name string) {
	s.t.Helper()
	s.Exec(`UPDATE contacts SET name = $1 WHERE customer_id = $2`, name, string(ch)+"/"+postgrestest.Recipient(string(ch), n))
}

// got is what each customer of ch really got: hashes of contents, in order.
func (s *stage) got(ch omniflow.Channel) map[string][]string {
	out := map[string][]string{}
	for _, d := range s.sim.Truth(simulator.Channel(ch), postgrestest.ExternalID(string(ch), s.Account[string(ch)])) {
		if d.Delivered {
			out[d.Recipient] = append(out[d.Recipient], d.ContentSHA256)
		}
	}
	return out
}

// A file goes to the provider once a broadcast and channel account, and to
// every recipient by its name (EX-114 from the app: also a video on Instagram).
func TestFilesAreHandedOverOnceAndSentToEverybody(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			files := s.withFiles()
			s.Customers(string(ch), 70)
			messages := []omniflow.Content{say("新品 👇"), s.file(files, omniflow.Image), s.file(files, omniflow.Video)}
			if ch != omniflow.LINE {
				messages = append(messages, s.file(files, omniflow.File))
			}
			s.planContents(everybody, messages...)
			require.Equal(t, omniflow.MediaNotReady, s.send(ch).Held, "nothing is sent before the files are there")
			require.Empty(t, s.delivered(ch))
			require.Equal(t, len(messages)-1, s.status(ch).Media)

			result, err := s.prepare(ch)
			require.NoError(t, err)
			require.Equal(t, len(messages)-1, result.Prepared)
			again, err := s.prepare(ch)
			require.NoError(t, err)
			require.Zero(t, again.Prepared, "preparing twice prepares once")
			require.Zero(t, s.status(ch).Media)

			require.True(t, s.send(ch).Done)
			calls := len(omniflow.PartsOf(ch, messages))
			for recipient, n := range s.delivered(ch) {
				require.Equal(t, calls, n, recipient)
			}
			require.Len(t, s.delivered(ch), 70)
			require.Equal(t, s.lanes[ch].Planned, s.tally(ch).Sent)
			uploads := s.sim.Uploads()
			if ch == omniflow.LINE || ch == omniflow.Instagram {
				require.Empty(t, uploads, "links")
				return
			}
			require.Len(t, uploads, 3)
			for _, up := range uploads {
				require.Equal(t, 70, up.Sends)
			}
		})
	}
}

func TestAnUploadThatGotLostIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := s.withFiles()
	s.Customers("whatsapp", 2)
	s.planContents(everybody, s.file(files, omniflow.Image))
	s.fault(omniflow.WhatsApp, simulator.Faults{NextUploads: []simulator.Fault{simulator.LostReset}})
	_, err := s.prepare(omniflow.WhatsApp)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.False(t, application.NonRetryable())
	_, err = s.prepare(omniflow.WhatsApp)
	require.NoError(t, err)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Len(t, s.delivered(omniflow.WhatsApp), 2)
	uploads := s.sim.Uploads()
	require.Len(t, uploads, 2)
	require.Zero(t, uploads[0].Sends, "an orphan that nobody names")
	require.Equal(t, 2, uploads[1].Sends)
}

func TestAFileThatIsRefusedStopsTheLaneAndKeepsTheRows(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ch     omniflow.Channel
		fault  simulator.Faults
		noBase bool
		want   omniflow.Code
	}{
		"the provider refuses the file": {omniflow.WhatsApp, simulator.Faults{NextUploads: []simulator.Fault{simulator.Permanent}}, false, omniflow.MediaRejected},
		"the account is stopped":        {omniflow.Facebook, simulator.Faults{StopCode: 190}, false, omniflow.AccountStopped},
		"there is no public address":    {omniflow.LINE, simulator.Faults{}, true, omniflow.MediaLinkUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			files := s.withFiles()
			s.Customers(string(row.ch), 3)
			s.planContents(everybody, s.file(files, omniflow.Image))
			s.fault(row.ch, row.fault)
			if row.noBase {
				files.base = ""
			}
			result, err := s.prepare(row.ch)
			require.NoError(t, err)
			require.Equal(t, row.want, result.Stopped)
			require.Equal(t, omniflow.Tally{Planned: 3, Queued: 3}, s.tally(row.ch))

			s.fault(row.ch, simulator.Faults{})
			files.base = "https://api.example.com/"
			_, err = s.acts.ControlBroadcast(t.Context(), omniflow.ControlOrder{TeamID: s.ID, BroadcastID: s.lanes[row.ch].BroadcastID,
				ActorID: s.Member, Order: omniflow.OrderResume, Reason: "mended"})
			require.NoError(t, err)
			require.Equal(t, 1, s.status(row.ch).Media, "a refused file is tried again")
			_, err = s.prepare(row.ch)
			require.NoError(t, err)
			require.True(t, s.send(row.ch).Done)
			require.Len(t, s.delivered(row.ch), 3)
		})
	}
}

// TestSavedRepliesExpandInOrder: one of the five messages, several calls; LINE
// takes five contents a call, and one call carries one content only.
func TestSavedRepliesExpandInOrder(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers(string(ch), 40)
			reply := omniflow.Content{Kind: omniflow.SavedReply, SavedReplyID: uuid.New()}
			for i := range 5 {
				reply.Contents = append(reply.Contents, say("reply "+strconv.Itoa(i)))
			}
			messages := []omniflow.Content{say("first"), reply, say("last")}
			s.planContents(everybody, messages...)
			for range 9 { // slices may be cut between the messages of one recipient
				if s.send(ch).Done {
					break
				}
			}
			parts := omniflow.PartsOf(ch, messages)
			require.Equal(t, omniflow.Tally{Planned: 40 * len(parts), Sent: 40 * len(parts)}, s.tally(ch))
			require.Len(t, s.got(ch), 40)
			var order []string
			for recipient, hashes := range s.got(ch) {
				require.Len(t, hashes, len(parts), recipient)
				if order == nil {
					order = hashes
				}
				require.Equal(t, order, hashes, "the same contents in the same order")
			}
			var pieces int
			s.Scan(&pieces, `SELECT sum(pieces) FROM messages`)
			require.Equal(t, 40*7, pieces)
			if ch != omniflow.LINE {
				require.Equal(t, simulator.TextSHA256("first"), order[0])
				require.Equal(t, simulator.TextSHA256("reply 0"), order[1])
				require.Equal(t, simulator.TextSHA256("last"), order[6])
			}
		})
	}
}

// bind binds the customers of conversations to the member.
func (s *stage) bind(conversations ...uuid.UUID) {
	s.t.Helper()
	for _, id := range conversations {
		s.Exec(`INSERT INTO contact_bindings (member_id, contact_id, team_id) SELECT $1, contact_id, team_id FROM conversations WHERE id = $2`, s.Member, id)
	}
}

// D-BRD-4: the state of the conversation does not matter, the binding does, at
// the plan and again at the claim.
func TestBoundCustomers(t *testing.T) {
	t.Parallel()
	for _, ch := range []omniflow.Channel{omniflow.LINE, omniflow.WhatsApp} {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			ids := s.Customers(string(ch), 5)
			s.bind(ids[0], ids[1], ids[2])
			s.Exec(`UPDATE conversations SET state = 'closed', follower_id = NULL WHERE id = $1`, ids[0])
			s.planContents(omniflow.Audience{Bound: true, Channel: ch}, say("hi"))
			require.Equal(t, 3, s.lanes[ch].Planned)
			s.Exec(`DELETE FROM contact_bindings WHERE contact_id = (SELECT contact_id FROM conversations WHERE id = $1)`, ids[2])
			require.True(t, s.send(ch).Done)
			require.Equal(t, omniflow.Tally{Planned: 3, Sent: 2, Skipped: 1}, s.tally(ch))
			require.Len(t, s.delivered(ch), 2)
			var code string
			s.Scan(&code, `SELECT code FROM messages WHERE conversation_id = $1`, ids[2])
			require.Equal(t, string(omniflow.NoLongerBound), code)
		})
	}
}

func TestABoundCustomerWithTwoConversationsGetsOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	older := s.Customer("whatsapp", "886900000001", 2*time.Hour)
	newer := s.Customer("whatsapp", "886900000002", time.Hour)
	s.Exec(`UPDATE conversations SET contact_id = (SELECT contact_id FROM conversations WHERE id = $1) WHERE id = $2`, newer, older)
	s.bind(newer)
	s.planContents(omniflow.Audience{Bound: true, Channel: omniflow.WhatsApp}, say("hi"))
	require.Equal(t, 1, s.lanes[omniflow.WhatsApp].Planned)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Equal(t, map[string]int{"886900000002": 1}, s.delivered(omniflow.WhatsApp), "where the customer wrote last")
}

// TestEX073NoExpiry: the file of a broadcast has no expiry (FIL-05, BRD-16).
func TestEX073NoExpiry(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := s.withFiles()
	s.Customers("facebook", 1)
	s.planContents(everybody, s.file(files, omniflow.File))
	_, err := s.prepare(omniflow.Facebook)
	require.NoError(t, err)
	require.True(t, s.send(omniflow.Facebook).Done)
	var expiring int
	s.Scan(&expiring, `SELECT count(*) FROM information_schema.columns WHERE table_name IN ('media', 'broadcast_media') AND column_name LIKE '%expir%'`)
	require.Zero(t, expiring)
	var starts int
	s.Scan(&starts, `SELECT count(*) FROM outbox`)
	require.Zero(t, starts, fmt.Sprintf("no run is promised for a file: %d", starts))
}

// A template with a picture at its head: one upload, its id in every message,
// and each customer's name as a parameter (VAR-01).
func TestATemplateCarriesAFileAndANameToEverybody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := s.withFiles()
	s.Customers("whatsapp", 40)
	s.name(omniflow.WhatsApp, 0, "王小明")
	picture := s.file(files, omniflow.Image)
	require.NoError(t, s.sim.AddTemplates(simulator.Template{ExternalID: postgrestest.ExternalID("whatsapp", s.Account["whatsapp"]),
		Name: "spring", Language: "zh_TW", BodyParams: 1, Header: "image"}))
	s.planContents(everybody, omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "spring", Language: "zh_TW",
		Params: []string{omniflow.CustomerName + " 您好"}, Header: &omniflow.TemplateHeader{Kind: omniflow.Image, MediaID: picture.MediaID, Media: picture.Media}}})
	require.Equal(t, omniflow.MediaNotReady, s.send(omniflow.WhatsApp).Held)
	_, err := s.prepare(omniflow.WhatsApp)
	require.NoError(t, err)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	require.Equal(t, omniflow.Tally{Planned: 40, Sent: 40}, s.tally(omniflow.WhatsApp))
	require.Len(t, s.sim.Uploads(), 1)
	require.Equal(t, 40, s.sim.Uploads()[0].Sends)
	hashes := map[string]int{}
	for _, got := range s.got(omniflow.WhatsApp) {
		require.Len(t, got, 1)
		hashes[got[0]]++
	}
	require.Greater(t, len(hashes), 1, "not everybody is 王小明")
}

// A caption goes with its file in one bubble, with the customer's name in it.
func TestACaptionHoldsTheName(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := s.withFiles()
	s.Customers("whatsapp", 2)
	s.name(omniflow.WhatsApp, 0, "王小明")
	s.name(omniflow.WhatsApp, 1, "Chan")
	picture := s.file(files, omniflow.Image)
	picture.Text = "您好 " + omniflow.CustomerName
	s.planContents(everybody, picture)
	_, err := s.prepare(omniflow.WhatsApp)
	require.NoError(t, err)
	require.True(t, s.send(omniflow.WhatsApp).Done)
	got := s.got(omniflow.WhatsApp)
	require.Len(t, got, 2)
	require.NotEqual(t, got[postgrestest.Recipient("whatsapp", 0)], got[postgrestest.Recipient("whatsapp", 1)])
}
