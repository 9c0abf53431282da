package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestEveryKindOfContentIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true })
	whatsapp := func(rest string) [3]string {
		return [3]string{"/whatsapp/v25.0/" + phoneID + "/messages", "wa", `{"messaging_product":"whatsapp","to":"886900000001",` + rest + `}`}
	}
	line := func(object string) [3]string {
		return [3]string{"/line/v2/bot/message/push", "line", `{"to":"` + users[0] + `","messages":[` + object + `]}`}
	}
	page := func(message string) [3]string {
		return [3]string{"/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"message":` + message + `}`}
	}
	for name, c := range map[string][3]string{
		"whatsapp text without type": whatsapp(`"text":{"body":"https://e.x","preview_url":true}`),
		"whatsapp image":             whatsapp(`"type":"image","image":{"link":"https://e.x/i","caption":"c"}`),
		"whatsapp video":             whatsapp(`"type":"video","video":{"link":"https://e.x/a"}`),
		"whatsapp audio":             whatsapp(`"type":"audio","audio":{"link":"https://a.example/b.ogg","voice":true}`),
		"whatsapp document":          whatsapp(`"type":"document","document":{"link":"https://e.x/d","filename":"a.pdf"}`),
		"whatsapp sticker":           whatsapp(`"type":"sticker","sticker":{"id":"1"}`),
		"whatsapp buttons":           whatsapp(`"type":"interactive","interactive":{"type":"button","body":{"text":"b"}}`),
		"whatsapp location":          whatsapp(`"type":"location","location":{"latitude":1,"longitude":2}`),
		"whatsapp contacts":          whatsapp(`"type":"contacts","contacts":[{"name":{"formatted_name":"n"}}]`),
		"whatsapp reaction":          whatsapp(`"type":"reaction","reaction":{"message_id":"wamid.x","emoji":""}`),
		"whatsapp reply":             whatsapp(`"context":{"message_id":"wamid.x"},"text":{"body":"r"}`),
		"whatsapp business-scoped":   {"/whatsapp/v25.0/" + phoneID + "/messages", "wa", `{"messaging_product":"whatsapp","recipient":"US.13491208655302741918","text":{"body":"b"}}`},
		"line textV2":                line(`{"type":"textV2","text":"{a}","substitution":{}}`),
		"line quick reply":           line(`{"type":"text","text":"a","quickReply":{"items":[]}}`),
		"line image":                 line(`{"type":"image","originalContentUrl":"https://e.x/a","previewImageUrl":"https://e.x/b"}`),
		"line video":                 line(`{"type":"video","originalContentUrl":"https://e.x/a","previewImageUrl":"https://e.x/b"}`),
		"line sticker":               line(`{"type":"sticker","packageId":"446","stickerId":"1988"}`),
		"line location":              line(`{"type":"location","title":"t","address":"a","latitude":1,"longitude":2}`),
		"line flex":                  line(`{"type":"flex","altText":"a","contents":{"type":"bubble"}}`),
		"line template":              line(`{"type":"template","altText":"a","template":{"type":"confirm"}}`),
		"line coupon":                line(`{"type":"coupon","couponId":"c"}`),
		"messenger attachment":       page(`{"attachment":{"type":"image","payload":{"url":"http://127.0.0.1:1/a"}}}`),
		"messenger pictures":         page(`{"attachments":[{"type":"image","payload":{"url":"https://e.x/a"}}]}`),
		"messenger sticker":          page(`{"sticker_id":369239263222822}`),
		"messenger quick replies":    page(`{"text":"q","quick_replies":[{"content_type":"text","title":"a","payload":"b"}]}`),
		"instagram heart":            {"/instagram/v25.0/me/messages", "ig", `{"recipient":{"id":"1"},"message":{"attachment":{"type":"like_heart"}}}`},
		"instagram 1000 bytes":       {"/instagram/v25.0/me/messages", "ig", pageText("1", strings.Repeat("x", 1000), "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := w.try(http.MethodPost, c[0], c[1], c[2])
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, a.status, a.raw)
		})
	}
}

func TestDifferentContentIsNoDuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, message := range []string{
		`{"text":"a"}`,
		`{"text":"a","quick_replies":[{"content_type":"text","title":"t"}]}`,
		`{"attachment":{"type":"image","payload":{"url":"https://e.x/a"}}}`,
		`{"attachment":{"type":"image","payload":{"url":"https://e.x/b"}}}`,
	} {
		require.Equal(t, http.StatusOK, w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"message":`+message+`}`).status)
	}
	require.Zero(t, w.summary(simulator.Facebook).Duplicates)
	for _, message := range []string{
		`{"text":"a","metadata":"another"}`,
		`{"attachment":{"payload":{"url":"https://e.x/a"},"type":"image"},"metadata":"another"}`,
	} {
		require.Equal(t, http.StatusOK, w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"message":`+message+`}`).status)
	}
	require.Equal(t, 2, w.summary(simulator.Facebook).Duplicates, "metadata is no content")
}
