package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A template with a file at its head is sent with one of that kind, which
// WhatsApp must take; nothing else is accepted, and it is frozen.
func TestTemplateHeadersAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	for name, header := range map[string]string{"pictured": "image", "plain": ""} {
		body := m{"waba_id": "waba1", "name": name, "language": "zh_TW", "body_params": 0}
		if header != "" {
			body["header"] = header
		}
		var saved templateBody
		w.do("POST", c.path+"/templates", c.admin, body).into(201, &saved)
		require.Equal(t, header, saved.Header)
	}
	w.do("POST", c.path+"/templates", c.admin, m{"waba_id": "waba1", "name": "x", "language": "zh_TW", "body_params": 0, "header": "audio"}).problem(422, "input_invalid")
	img, large, video := c.media("a.png", picture(8)), c.media("6.png", bigPicture(6<<20)), c.media("a.mp4", []byte(mp4Start))
	send := func(name string, header any) reply {
		body := template(m{"channels": []string{"whatsapp"}}, name)
		if header != nil {
			body["messages"].([]m)[0]["template"].(m)["header"] = header
		}
		return w.do("POST", "/v1/broadcasts", staff, body)
	}
	send("pictured", nil).problem(422, "template_invalid")
	send("plain", m{"kind": "image", "media_id": img}).problem(422, "template_invalid")
	send("pictured", m{"kind": "video", "media_id": video}).problem(422, "template_invalid")
	send("pictured", m{"kind": "image", "media_id": video}).problem(422, "media_type_unsupported")
	send("pictured", m{"kind": "image", "media_id": large}).problem(422, "media_too_large")
	send("pictured", m{"kind": "image", "media_id": uuid.NewString()}).problem(404, "not_found")
	require.Equal(t, 202, send("plain", nil).Status)
	var accepted struct{ ID uuid.UUID }
	send("pictured", m{"kind": "image", "media_id": img}).into(202, &accepted)
	request, err := w.store.LoadRequest(t.Context(), uuid.MustParse(c.id), accepted.ID)
	require.NoError(t, err)
	require.Equal(t, img, request.Messages[0].Template.Header.Media.ID.String())
	require.Equal(t, "image/png", request.Messages[0].Template.Header.Media.MIME)
}
