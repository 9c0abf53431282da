package simulator_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// form is a multipart body with one file.
func form(t *testing.T, fields map[string]string, mime string, file []byte) (contentType string, body []byte) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, value := range fields {
		require.NoError(t, w.WriteField(name, value))
	}
	if file != nil {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="file"; filename="a"`}, "Content-Type": {mime}})
		require.NoError(t, err)
		_, err = part.Write(file)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), out.Bytes()
}

func TestUploadsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 64)...)
	whatsapp := "/whatsapp/v25.0/" + phoneID + "/media"
	product := map[string]string{"messaging_product": "whatsapp"}
	attachment := func(kind string) map[string]string {
		return map[string]string{"message": `{"attachment":{"type":"` + kind + `","payload":{"is_reusable":true}}}`}
	}
	for name, c := range map[string]struct {
		path, token, mime string
		fields            map[string]string
		file              []byte
		status, code      int
	}{
		"whatsapp":              {whatsapp, "wa", "image/png", product, png, 200, 0},
		"whatsapp document":     {whatsapp, "wa", "application/pdf", product, []byte("%PDF"), 200, 0},
		"no product":            {whatsapp, "wa", "image/png", nil, png, 400, 100},
		"no file":               {whatsapp, "wa", "", product, nil, 400, 100},
		"another type":          {whatsapp, "wa", "image/png", map[string]string{"messaging_product": "whatsapp", "type": "image/jpeg"}, png, 400, 131053},
		"no picture":            {whatsapp, "wa", "image/jpeg", product, png, 400, 131053},
		"video of 17 MB":        {whatsapp, "wa", "video/mp4", product, make([]byte, 17<<20), 400, 131053},
		"wrong token":           {whatsapp, "nobody", "image/png", product, png, 401, 190},
		"messenger":             {"/messenger/v25.0/me/message_attachments", "fb", "image/png", attachment("image"), png, 200, 0},
		"messenger as file":     {"/messenger/v25.0/me/message_attachments", "fb", "image/png", attachment("file"), png, 200, 0},
		"messenger as video":    {"/messenger/v25.0/me/message_attachments", "fb", "image/png", attachment("video"), png, 400, 100},
		"messenger unknown":     {"/messenger/v25.0/me/message_attachments", "fb", "image/png", attachment("fax"), png, 400, 100},
		"messenger no message":  {"/messenger/v25.0/me/message_attachments", "fb", "image/png", nil, png, 400, 100},
		"messenger 26 MB":       {"/messenger/v25.0/me/message_attachments", "fb", "video/mp4", attachment("video"), make([]byte, 26<<20), 400, 100},
		"messenger once only":   {"/messenger/v25.0/me/message_attachments", "fb", "image/png", map[string]string{"message": `{"attachment":{"type":"image"}}`}, png, 400, 100},
		"whatsapp foreign page": {"/whatsapp/v25.0/1/media", "wa", "image/png", product, png, 400, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contentType, body := form(t, c.fields, c.mime, c.file)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+c.path, bytes.NewReader(body))
			require.NoError(t, err)
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("Authorization", "Bearer "+c.token)
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			var answer struct {
				Error struct{ Code int }
			}
			require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
			require.NoError(t, res.Body.Close())
			require.Equal(t, c.status, res.StatusCode)
			require.Equal(t, c.code, answer.Error.Code)
		})
	}
}

func TestFilesThatNobodyUploaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, kind := range []string{"image", "video", "document"} {
		a := w.post("/whatsapp/v25.0/"+phoneID+"/messages", "wa", `{"messaging_product":"whatsapp","to":"886900000001","type":"`+kind+`","`+kind+`":{"id":"1"}}`)
		require.Equal(t, http.StatusBadRequest, a.status, a.raw)
	}
	for _, message := range []string{
		`{"attachment":{"type":"image","payload":{"attachment_id":"1"}}}`,
		`{"attachment":{"type":"image","payload":{"url":"http://e.x/a"}}}`,
		`{"attachment":{"type":"image","payload":[1]}}`,
	} {
		a := w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"message":`+message+`}`)
		require.Equal(t, http.StatusBadRequest, a.status, a.raw)
	}
	require.Zero(t, w.summary(simulator.Facebook).Accepted)
	require.Empty(t, w.sim.Uploads())
}
