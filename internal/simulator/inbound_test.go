package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// A person's messages of every kind come by the admin call; a mistake in one is
// told, and what no provider has is sent as it is.
func TestInboundKindsByAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for body, want := range map[string]string{
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `","kind":"postback","payload":"card=7"}`:                           `"postback":{"data":"card=7"}`,
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `","kind":"sticker","payload":"1/2/COMBINATION"}`:                   `"stickerResourceType":"COMBINATION"`,
		`{"channel":"facebook","external_id":"` + pageID + `","user":"700","kind":"hologram"}`:                                                      `"type":"hologram"`,
		`{"channel":"facebook","external_id":"` + pageID + `","user":"700","text":"x","quoted":"m_1"}`:                                              `"reply_to":{"mid":"m_1"}`,
		`{"channel":"whatsapp","external_id":"` + phoneID + `","user":"886900000001","kind":"unsend","quoted":"wamid.1"}`:                           `"original_message_id":"wamid.1"`,
		`{"channel":"whatsapp","external_id":"` + phoneID + `","user":"886900000001","kind":"image","files":[{"data":"eA==","fault":"too_large"}]}`: `"code":131052`,
	} {
		answer := w.post("/_sim/inbound", "", body)
		require.Equal(t, http.StatusOK, answer.status, answer.raw)
		require.Contains(t, string(w.hook().body), want)
	}
	for _, bad := range []string{
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `"}`,
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `","kind":"reaction","quoted":"1"}`,
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `","kind":"unsend"}`,
		`{"channel":"line","external_id":"` + botID + `","user":"` + users[0] + `","kind":"image","files":[{},{}]}`,
		`{"channel":"facebook","external_id":"` + pageID + `","user":"700","kind":"image","files":[{"fault":"burnt"}]}`,
		`{"channel":"facebook","external_id":"` + pageID + `","user":"700","colour":"red"}`,
	} {
		require.Equal(t, http.StatusBadRequest, w.post("/_sim/inbound", "", bad).status, bad)
	}
}

// A file is as long as it says it is, at the link of its webhook.
func TestInboundFileOfAnyLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.Facebook, ExternalID: pageID, User: "700", Kind: "image", Files: []simulator.File{{}}})
	require.ErrorContains(t, err, "address")
	w.sim.SetAddress(w.url)
	_, err = w.sim.Inbound(simulator.InboundMessage{Channel: simulator.Facebook, ExternalID: pageID, User: "700", Kind: "image",
		Files: []simulator.File{{Data: []byte("\x89PNG\r\n\x1a\n"), Size: 3 << 20}}})
	require.NoError(t, err)
	var hook struct {
		Entry []struct {
			Messaging []struct {
				Message struct {
					Attachments []struct {
						Payload struct {
							URL string `json:"url"`
						} `json:"payload"`
					} `json:"attachments"`
				} `json:"message"`
			} `json:"messaging"`
		} `json:"entry"`
	}
	require.NoError(t, json.Unmarshal(w.hook().body, &hook))
	link := hook.Entry[0].Messaging[0].Message.Attachments[0].Payload.URL
	require.True(t, strings.HasPrefix(link, w.url+"/messenger/files/"), link)
	resp, err := http.Get(link)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.EqualValues(t, 3<<20, n)
	require.Equal(t, "image/png", resp.Header.Get("Content-Type"))
}
