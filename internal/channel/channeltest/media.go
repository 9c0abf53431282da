package channeltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/png"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// file is a small file of a kind and its bytes.
func file(t *testing.T, kind omniflow.MessageKind) (omniflow.Media, []byte) {
	t.Helper()
	m := omniflow.Media{ID: uuid.New(), Kind: kind}
	var data bytes.Buffer
	switch kind {
	case omniflow.Image:
		m.MIME, m.Name = "image/png", `新品 "a".png`
		require.NoError(t, png.Encode(&data, image.NewGray(image.Rect(0, 0, 2, 2))))
	case omniflow.Video:
		m.MIME, m.Name = "video/mp4", "a.mp4"
		data.WriteString("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
	case omniflow.Audio:
		m.MIME, m.Name = "audio/mpeg", "a.mp3"
		data.WriteString("ID3\x04\x00\x00\x00\x00\x00\x00")
	default:
		m.MIME, m.Name = "application/pdf", "型錄.pdf"
		data.WriteString("%PDF-1.7\n")
	}
	m.Bytes = int64(data.Len())
	sum := sha256.Sum256(data.Bytes())
	m.SHA256 = hex.EncodeToString(sum[:])
	return m, data.Bytes()
}

// kinds are those that the provider has an outbound message for.
func (h *Harness) kinds() []omniflow.MessageKind {
	switch h.kind {
	case omniflow.LINE:
		return []omniflow.MessageKind{omniflow.Image, omniflow.Video}
	case omniflow.Instagram: // FIL-01
		return []omniflow.MessageKind{omniflow.Image, omniflow.Video, omniflow.File}
	}
	return []omniflow.MessageKind{omniflow.Image, omniflow.Video, omniflow.Audio, omniflow.File}
}

// ready makes a file known to the provider, by upload or by link.
func (h *Harness) ready(t *testing.T, m omniflow.Media, data []byte) omniflow.Media {
	t.Helper()
	uploader, ok := h.Provider.(channel.Uploader)
	if !ok {
		m.Link, m.Preview = "https://api.example.com/media/"+m.ID.String(), "https://api.example.com/media/p"+m.ID.String()
		return m
	}
	handle, err := uploader.Upload(within(t, patience), h.Account, m, data)
	require.NoError(t, err)
	require.NotEmpty(t, handle)
	m.Handle = handle
	return m
}

func sendsFiles(t *testing.T, h *Harness) {
	for i, kind := range h.kinds() {
		m := h.made(t, kind)
		for customer := range 3 {
			message := h.Message(10*i+customer, "")
			message.Contents = []omniflow.Content{{Kind: kind, MediaID: m.ID, Media: &m}}
			receipt, err := h.Provider.Send(within(t, patience), h.Account, message)
			require.NoError(t, err, kind)
			truth := h.Truth()
			require.Len(t, truth, 3*i+customer+1)
			require.Equal(t, receipt.ProviderID, truth[3*i+customer].ProviderID)
			require.Equal(t, h.wireKey(message), truth[3*i+customer].Key)
			require.True(t, truth[3*i+customer].Delivered)
			require.Equal(t, truth[3*i].ContentSHA256, truth[3*i+customer].ContentSHA256)
		}
	}
	if _, ok := h.Provider.(channel.Uploader); !ok {
		require.Empty(t, h.Sim.Uploads())
		return
	}
	require.Len(t, h.Sim.Uploads(), len(h.kinds()), "one upload, however many recipients")
	for _, up := range h.Sim.Uploads() {
		require.Equal(t, 3, up.Sends)
	}
}

// made is a file of a kind that the provider knows.
func (h *Harness) made(t *testing.T, kind omniflow.MessageKind) omniflow.Media {
	t.Helper()
	m, data := file(t, kind)
	return h.ready(t, m, data)
}

func uploads(t *testing.T, h *Harness) {
	uploader, ok := h.Provider.(channel.Uploader)
	if !ok {
		return
	}
	m, data := file(t, omniflow.Image)
	send := func(handle string) {
		m.Handle = handle
		message := h.Message(1, "")
		message.Contents = []omniflow.Content{{Kind: omniflow.Image, Media: &m}}
		_, err := h.Provider.Send(within(t, patience), h.Account, message)
		require.NoError(t, err)
	}
	for _, fault := range []simulator.Fault{simulator.Unavailable, simulator.Lost500, simulator.LostReset, simulator.Truncated} {
		require.NoError(t, h.Sim.SetFaults(simulator.Faults{NextUploads: []simulator.Fault{fault}}))
		_, err := uploader.Upload(within(t, patience), h.Account, m, data)
		var e *channel.Error
		require.ErrorAs(t, err, &e, fault)
		require.Equal(t, channel.Unavailable, e.Fault, "%s: an upload is never ambiguous, an orphan does no harm", fault)
		handle, err := uploader.Upload(within(t, patience), h.Account, m, data)
		require.NoError(t, err, fault)
		send(handle)
	}
	for _, up := range h.Sim.Uploads() {
		require.Equal(t, m.SHA256, up.SHA256)
		require.Equal(t, m.MIME, up.MIME)
	}
	require.Equal(t, 3, h.Sim.Summary()[0].Duplicates, "the same file under another handle is the same to the customer")

	require.NoError(t, h.Sim.SetFaults(simulator.Faults{NextUploads: []simulator.Fault{simulator.Permanent}}))
	_, err := uploader.Upload(within(t, patience), h.Account, m, data)
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Rejected, e.Fault)
	require.NoError(t, h.Sim.SetFaults(simulator.Faults{StopCode: 190}))
	_, err = uploader.Upload(within(t, patience), h.Account, m, data)
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Misconfigured, e.Fault)
	account := h.Account
	account.Secrets.Token = ""
	_, err = uploader.Upload(within(t, patience), account, m, data)
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Misconfigured, e.Fault)
}

func refusesFiles(t *testing.T, h *Harness) {
	for _, kind := range h.kinds() {
		m, _ := file(t, kind)
		for _, media := range []*omniflow.Media{nil, &m} {
			message := h.Message(1, "")
			message.Contents = []omniflow.Content{{Kind: kind, Media: media}}
			_, err := h.Provider.Send(within(t, patience), h.Account, message)
			var e *channel.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, channel.Rejected, e.Fault)
			require.Contains(t, []omniflow.Code{omniflow.MediaNotReady, omniflow.MediaLinkUnavailable}, e.Reason)
		}
	}
	if h.kind == omniflow.LINE {
		m, _ := file(t, omniflow.File)
		message := h.Message(1, "")
		message.Contents = []omniflow.Content{{Kind: omniflow.File, Media: &m}}
		_, err := h.Provider.Send(within(t, patience), h.Account, message)
		var e *channel.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, omniflow.ContentUnsupported, e.Reason, "LINE has no outbound file")
	}
	require.Zero(t, h.Requests())
}

// captions go with a file in one bubble on WhatsApp; nobody else leaves one out
// in silence.
func captions(t *testing.T, h *Harness) {
	m := h.made(t, omniflow.Image)
	message := h.Message(1, "")
	message.Contents = []omniflow.Content{{Kind: omniflow.Image, Media: &m, Text: "新品"}}
	_, err := h.Provider.Send(within(t, patience), h.Account, message)
	if h.kind == omniflow.WhatsApp {
		require.NoError(t, err)
		plain := h.Message(2, "")
		plain.Contents = []omniflow.Content{{Kind: omniflow.Image, Media: &m}}
		_, err = h.Provider.Send(within(t, patience), h.Account, plain)
		require.NoError(t, err)
		require.NotEqual(t, h.Truth()[0].ContentSHA256, h.Truth()[1].ContentSHA256, "the caption arrived")
		return
	}
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, omniflow.ContentUnsupported, e.Reason)
	require.Empty(t, h.Truth())
}
