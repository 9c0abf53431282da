package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// Form is a file with the fields beside it.
type Form struct {
	Edge   string            // below the account: "media", "message_attachments"
	Fields map[string]string // sent before the file
	File   string            // name of the file's field
	Answer string            // member of the answer that is the file's handle
}

var errNoHandle = errors.New("the answer names no file")

// Upload posts a file to an edge of the account and gives its handle. It is
// repeated where no answer came: what nobody names does no harm. So a lost
// answer is Unavailable here, and never Ambiguous.
//
// Errors: *channel.Error.
func (c *Client) Upload(ctx context.Context, a channel.Account, form Form, m omniflow.Media, data []byte) (string, error) {
	if a.Secrets.Token == "" || a.ExternalID == "" {
		e := channel.Stop(omniflow.AccountStopped).Error("token", 0)
		e.Err = errNoToken
		return "", e
	}
	body, contentType, err := form.encode(m, data)
	if err != nil {
		return "", channel.Refused(err)
	}
	ans, err := c.http.Do(ctx, channel.Call{
		URL:   c.base + "/" + Version + "/" + url.PathEscape(a.ExternalID) + "/" + form.Edge,
		Token: a.Secrets.Token, Body: body, Repeatable: true,
		Header: map[string]string{"Content-Type": contentType},
	})
	if err == nil {
		err = c.table.refusal(ans)
	}
	if err != nil {
		return "", again(err)
	}
	var fields map[string]json.RawMessage
	var handle Scalar
	if json.Unmarshal(ans.Body, &fields) != nil || json.Unmarshal(fields[form.Answer], &handle) != nil || handle == "" {
		e := channel.Down(0).Error("truncated", ans.Status)
		e.Err = errNoHandle
		return "", e
	}
	return handle.String(), nil
}

// again turns a lost answer into a fault that is retried.
func again(err error) error {
	var e *channel.Error
	if errors.As(err, &e) && e.Fault == channel.Ambiguous {
		e.Fault, e.Reason = channel.Unavailable, omniflow.ProviderDown
	}
	return err
}

// encode writes the form.
func (f Form) encode(m omniflow.Media, data []byte) (body []byte, contentType string, err error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		if err := w.WriteField(name, f.Fields[name]); err != nil {
			return nil, "", fmt.Errorf("write form: %w", err)
		}
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, f.File, quoted.Replace(m.Name)))
	header.Set("Content-Type", m.MIME)
	part, err := w.CreatePart(header)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, "", fmt.Errorf("write form: %w", err)
	}
	return out.Bytes(), w.FormDataContentType(), nil
}

// quoted makes a name safe between quotation marks, as browsers do.
var quoted = strings.NewReplacer("\\", "_", `"`, "%22", "\r", "_", "\n", "_")
