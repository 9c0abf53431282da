package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// sentFiles lets the first customer of WhatsApp send files in one message.
func (s *spine) sentFiles(refs ...omniflow.MediaRef) {
	s.t.Helper()
	m := s.wrote(omniflow.WhatsApp, 0, "wamid.files", time.Now())
	m.Kind, m.Text, m.Received, m.Media = "image", "", omniflow.ReceivedMedia, refs
	require.Equal(s.t, 1, s.drain(omniflow.Intake{Messages: []omniflow.CustomerMessage{m, m}}).Messages)
}

func (s *spine) claimFiles(n int, lease time.Duration) []omniflow.InboundFile {
	s.t.Helper()
	files, err := s.ClaimInboundMedia(s.t.Context(), n, lease)
	require.NoError(s.t, err)
	return files
}

// fileStates are the states and codes of all files, in the order of the message.
func (s *spine) fileStates() []string {
	s.t.Helper()
	var out []string
	s.Scan(&out, `SELECT array_agg(state || ' ' || code ORDER BY part) FROM inbound_media`)
	return out
}

func TestFilesOfAMessageAreNotedOnceAndClaimedByOneWorker(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.sentFiles(omniflow.MediaRef{Handle: "1", Kind: "image"}, omniflow.MediaRef{Kind: "image"}, omniflow.MediaRef{Handle: "2", Kind: "file", Name: "a.pdf"})
	require.Equal(t, []string{"pending ", "unavailable media_unavailable", "pending "}, s.fileStates(), "FIL-08: what the provider does not give is not asked for")

	first, second := s.claimFiles(1, time.Hour), s.claimFiles(5, time.Hour)
	require.Len(t, first, 1)
	require.Len(t, second, 1)
	require.Empty(t, s.claimFiles(5, time.Hour))
	files := map[int]omniflow.InboundFile{first[0].Part: first[0], second[0].Part: second[0]}
	require.Equal(t, "1", files[0].Handle)
	require.Equal(t, "2", files[2].Handle)
	require.Equal(t, "a.pdf", files[2].Name)
	require.Equal(t, omniflow.WhatsApp, files[2].Channel)
	require.Equal(t, s.account(omniflow.WhatsApp), files[2].ChannelAccountID)
	require.Equal(t, 1, files[2].Tries)
	require.WithinDuration(t, time.Now(), files[2].BornAt, time.Minute)
}

func TestAFileIsStoredOnceByTheWorkerThatHasIt(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.sentFiles(omniflow.MediaRef{Handle: "1", Kind: "image"})
	dead := s.claimFiles(1, 0)[0] // its lease is over at once
	f := s.claimFiles(1, time.Hour)[0]
	require.Equal(t, 2, f.Tries)
	media := omniflow.Media{ID: f.MediaID(), Kind: omniflow.Image, MIME: "image/png", Name: "file", Bytes: 3, SHA256: "00"}
	done := omniflow.InboundFileResult{State: omniflow.MediaStored, Media: &media}

	changed, err := s.FinishInboundMedia(t.Context(), dead, omniflow.InboundFileResult{State: omniflow.MediaLost, Code: omniflow.MediaUnavailable})
	require.NoError(t, err)
	require.False(t, changed, "the file is somebody else's by now")
	for _, want := range []bool{true, false} {
		changed, err = s.FinishInboundMedia(t.Context(), f, done)
		require.NoError(t, err)
		require.Equal(t, want, changed)
	}
	require.Equal(t, []string{"stored "}, s.fileStates())
	kept, err := s.FindMedia(t.Context(), s.ID, f.MediaID())
	require.NoError(t, err)
	require.Equal(t, media, kept)
	_, err = s.FindMedia(t.Context(), uuid.New(), f.MediaID())
	require.Error(t, err, "SYS-13")
}

func TestAFileWaitsForItsNextAttempt(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.sentFiles(omniflow.MediaRef{Handle: "1", Kind: "image"})
	f := s.claimFiles(1, time.Hour)[0]
	changed, err := s.FinishInboundMedia(t.Context(), f, omniflow.InboundFileResult{State: omniflow.MediaPending, Code: omniflow.ProviderDown, DueAt: time.Now().Add(-time.Second)})
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, []string{"pending provider_unavailable"}, s.fileStates())
	require.Equal(t, 2, s.claimFiles(1, time.Hour)[0].Tries)
}

func TestEX031ATextOfTheMenuSetInLINEIsATap(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.LINE, 1)
	line, menu := s.account(omniflow.LINE), []string{"門市查詢"}
	require.NoError(t, s.SetMenuTexts(t.Context(), s.ID, line, menu, By{}))
	for text, want := range map[string]omniflow.ReceivedKind{"門市查詢": omniflow.LINERichMenuTextLINE, "門市": omniflow.TextNoKeyword} {
		m := s.wrote(omniflow.LINE, 0, text, time.Now())
		m.Text = text
		require.Equal(t, 1, s.tell(m).Messages)
		var got string
		s.Scan(&got, `SELECT received FROM inbound_messages WHERE provider_id = $1`, text)
		require.Equal(t, string(want), got, text)
	}
	var refusal *omniflow.Refusal
	require.ErrorAs(t, s.SetMenuTexts(t.Context(), uuid.New(), line, menu, By{}), &refusal)
	require.Equal(t, omniflow.NotFound, refusal.Code)
	require.ErrorAs(t, s.SetAllowedOrigins(t.Context(), s.ID, line, nil, By{}), &refusal, "a LINE account shows no widget")
}
