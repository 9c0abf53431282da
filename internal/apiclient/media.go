package apiclient

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
)

// Media is an uploaded file.
type Media struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"` // image, video, audio or file: what the bytes are
	MIME   string `json:"mime"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// UploadMedia stores a file of at most 100 MiB for broadcasts and saved replies.
func (c *Client) UploadMedia(ctx context.Context, name string, data []byte) (Media, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return Media{}, fmt.Errorf("write form: %w", err)
	}
	var m Media
	err = c.do(ctx, request{method: http.MethodPost, path: "/v1/media", contentType: w.FormDataContentType(), body: form.Bytes(), out: &m})
	return m, err
}
