package simulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// maxUpload is the largest file and its form: 100 MB and a little.
const maxUpload = 101 << 20

// Upload is one file that an account uploaded.
type Upload struct {
	Channel    Channel `json:"channel"`
	ExternalID string  `json:"external_id"`
	ID         string  `json:"id"` // WhatsApp's media id, Messenger's attachment id
	Kind       string  `json:"kind"`
	MIME       string  `json:"mime"`
	Bytes      int64   `json:"bytes"`
	SHA256     string  `json:"sha256"` // hexadecimal
	// Sends is how many messages carried it.
	Sends int `json:"sends"`
}

// Uploads returns every upload in order, account by account.
func (s *Server) Uploads() []Upload {
	list := make([]Upload, 0)
	for _, a := range s.all() {
		a.mu.Lock()
		for _, id := range a.uploadOrder {
			list = append(list, *a.uploads[id])
		}
		a.mu.Unlock()
	}
	return list
}

// whatsappUpload is POST /whatsapp/{version}/{phone}/media.
func (s *Server) whatsappUpload(w http.ResponseWriter, r *http.Request) {
	a, refused := s.graphAccount(r, WhatsApp)
	if refused != nil {
		s.write(w, r, *refused)
		return
	}
	form, bad := readForm(w, r)
	if bad == nil && form.value["messaging_product"] != "whatsapp" {
		bad = badParameter("messaging_product must be whatsapp.")
	}
	up := Upload{MIME: form.mime, Kind: whatsappKind(form.mime)}
	if typ := form.value["type"]; bad == nil && typ != "" && mediaType(typ) != form.mime {
		bad = mismatch("the type is not that of the file")
	}
	if bad == nil {
		bad = whatsappTooLarge(up.Kind, int64(len(form.file)))
	}
	s.write(w, r, a.keep(up, form.file, bad, "id"))
}

// pageUpload is POST /messenger/{version}/{page}/message_attachments.
func (s *Server) pageUpload(w http.ResponseWriter, r *http.Request) {
	a, refused := s.graphAccount(r, Facebook)
	if refused != nil {
		s.write(w, r, *refused)
		return
	}
	form, bad := readForm(w, r)
	var message struct {
		Attachment struct {
			Type    string `json:"type"`
			Payload struct {
				Reusable bool `json:"is_reusable"`
			} `json:"payload"`
		} `json:"attachment"`
	}
	if bad == nil && json.Unmarshal([]byte(form.value["message"]), &message) != nil {
		bad = invalid100("Param message is not the JSON of an attachment")
	}
	kind, _, _ := strings.Cut(form.mime, "/")
	switch t := message.Attachment.Type; {
	case bad != nil:
	case t != "image" && t != "video" && t != "audio" && t != "file":
		bad = invalid100("Param message[attachment][type] is not known")
	case !message.Attachment.Payload.Reusable:
		bad = invalid100("Only reusable attachments can be uploaded")
	case t != "file" && t != kind:
		bad = &graphError{status: 400, code: 100, subcode: 2018047, title: "Upload attachment failure: the type does not match the file"}
	case len(form.file) > 25<<20:
		bad = &graphError{status: 400, code: 100, subcode: 2018109, title: "Attachment size exceeds allowable limit"}
	}
	up := Upload{MIME: form.mime, Kind: message.Attachment.Type}
	s.write(w, r, a.keep(up, form.file, bad, "attachment_id"))
}

// uploadForm is a multipart body: its file, and what else it says.
type uploadForm struct {
	file  []byte
	mime  string // of the part, as its bytes confirm
	value map[string]string
}

var errOnePart = errors.New("more than one file")

// readForm reads the parts. A picture or video is recognised by its bytes.
func readForm(w http.ResponseWriter, r *http.Request) (uploadForm, *graphError) {
	form := uploadForm{value: map[string]string{}}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	parts, err := r.MultipartReader()
	for err == nil {
		part, next := parts.NextPart()
		if errors.Is(next, io.EOF) {
			break
		}
		if err = next; err != nil {
			break
		}
		var data []byte
		if data, err = io.ReadAll(part); err != nil {
			break
		}
		if part.FileName() == "" {
			form.value[part.FormName()] = string(data)
			continue
		}
		if form.file != nil {
			err = errOnePart
			break
		}
		form.file, form.mime = data, mediaType(part.Header.Get("Content-Type"))
	}
	switch {
	case err != nil:
		return form, badParameter("The request is not a form with one file.")
	case len(form.file) == 0:
		return form, badParameter("The file is missing.")
	}
	seen := mediaType(http.DetectContentType(form.file))
	if kind, _, _ := strings.Cut(form.mime, "/"); kind == "image" && seen != form.mime {
		return form, mismatch("the file is " + seen)
	}
	return form, nil
}

func mediaType(s string) string {
	typ, _, err := mime.ParseMediaType(s)
	if err != nil {
		return "application/octet-stream"
	}
	return typ
}

func mismatch(details string) *graphError {
	return &graphError{status: 400, code: 131053, title: "Media upload error", details: details}
}

// whatsappKind is what a MIME type can be sent as; anything is a document.
func whatsappKind(mime string) string {
	switch mime {
	case "image/jpeg", "image/png":
		return "image"
	case "video/mp4", "video/3gpp":
		return "video"
	case "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg":
		return "audio"
	}
	return "document"
}

func whatsappTooLarge(kind string, size int64) *graphError {
	limit := map[string]int64{"image": 5 << 20, "video": 16 << 20, "audio": 16 << 20, "document": 100 << 20}[kind]
	if kind != "image" && size > limit { // an image may yet be sent as a document
		return mismatch("the file is too large")
	}
	return nil
}

// keep stores an upload, or answers why not. Uploads know no rate limit; a
// stop code holds for them too.
func (a *account) keep(up Upload, file []byte, bad *graphError, field string) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	if code := a.faults.cfg.StopCode; code != 0 {
		return a.stopped(code)
	}
	fault := a.faults.upload()
	switch {
	case fault == Unavailable:
		a.counts.fault(fault)
		return a.unavailable()
	case bad != nil:
		return a.graphFail(*bad)
	case fault == Permanent:
		a.counts.fault(fault)
		return a.graphFail(*mismatch("the file cannot be processed"))
	}
	sum := sha256.Sum256(file)
	up.Channel, up.ExternalID, up.ID = a.cfg.Channel, a.cfg.ExternalID, newLINEMessageID()[1:]
	up.Bytes, up.SHA256 = int64(len(file)), hex.EncodeToString(sum[:])
	if a.uploads == nil {
		a.uploads = map[string]*Upload{}
	}
	a.uploads[up.ID] = &up
	a.uploadOrder = append(a.uploadOrder, up.ID)
	return a.spoil(graphReply(http.StatusOK, map[string]string{field: up.ID}), fault)
}

// upload takes the fate of the next upload.
func (i *injector) upload() Fault {
	if len(i.cfg.NextUploads) == 0 {
		return ""
	}
	fault := i.cfg.NextUploads[0]
	i.cfg.NextUploads = i.cfg.NextUploads[1:]
	return fault
}

// attach checks the file that a WhatsApp message carries by id, and makes the
// file and not its id the content: uploaded twice it is the same to a customer.
func (a *account) attach(m *whatsappMessage) *graphError {
	media := map[string]*whatsappMedia{"image": m.Image, "video": m.Video, "audio": m.Audio, "document": m.Document}[m.Type]
	if media == nil || media.ID == "" {
		return nil
	}
	up, bad := a.uploaded(m.Type, media.ID)
	if bad != nil {
		return bad
	}
	up.Sends++
	seen := *media
	seen.ID = up.SHA256
	m.hash = hashJSON(map[string]any{m.Type: seen})
	return nil
}

// uploaded finds a file that goes out as kind.
func (a *account) uploaded(kind, id string) (*Upload, *graphError) {
	up, ok := a.uploads[id]
	switch {
	case !ok:
		return nil, badParameter("Param " + kind + "['id'] is not a valid whatsapp business account media attachment ID")
	case kind != "document" && up.Kind != kind:
		return nil, mismatch("the file is a " + up.Kind)
	case kind == "image" && up.Bytes > 5<<20:
		return nil, mismatch("the file is too large")
	}
	return up, nil
}

// attachHeader is attach for the file at a template's head, which must be what
// its definition has there.
func (a *account) attachHeader(m *whatsappMessage, want string) *graphError {
	kind, media := m.Template.header()
	if kind == "text" { // a variable in a text header: not registered here
		return nil
	}
	if kind != want {
		return &graphError{status: 400, code: 132012, title: "Parameter format does not match format in the created template",
			details: "header: Format mismatch, expected " + strings.ToUpper(cmp.Or(want, "none")) + ", received " + strings.ToUpper(cmp.Or(kind, "unknown"))}
	}
	if want == "" {
		return nil
	}
	switch {
	case media == nil || (media.ID == "") == (media.Link == ""):
		return badParameter("Exactly one of id and link is required.")
	case media.Caption != "":
		return badParameter("caption is not possible here.")
	case media.ID == "":
		return nil
	}
	up, bad := a.uploaded(kind, media.ID)
	if bad != nil {
		return bad
	}
	up.Sends++
	bare := *m.Template // but for the id: uploaded twice it is the same to a customer
	bare.Components = slices.DeleteFunc(slices.Clone(bare.Components), func(c whatsappComponent) bool { return strings.EqualFold(c.Type, "header") })
	m.hash = hashJSON(map[string]any{"template": bare, "header": up.SHA256})
	return nil
}

// attachPage is attach for the attachment of a Messenger message; links of
// either channel must be ones that the provider could fetch.
func (a *account) attachPage(m *pageMessage) *graphError {
	if m.Message == nil || m.Message.Attachment == nil {
		return nil
	}
	attachment := m.Message.Attachment
	var payload struct {
		ID  string `json:"attachment_id"`
		URL string `json:"url"`
	}
	if len(attachment.Payload) > 0 && json.Unmarshal(attachment.Payload, &payload) != nil {
		return invalid100("Param message[attachment][payload] is not valid")
	}
	switch {
	case payload.URL != "" && !fetchable(payload.URL):
		return &graphError{status: 400, code: 100, subcode: 2018008, title: "Failed to fetch the file from the url"}
	case payload.ID == "":
		return nil
	}
	up, ok := a.uploads[payload.ID]
	if !ok {
		return &graphError{status: 400, code: 100, subcode: 2018074, title: "Invalid attachment id"}
	}
	if up.Kind != attachment.Type {
		return &graphError{status: 400, code: 100, subcode: 2018047, title: "The attachment is of another type"}
	}
	up.Sends++
	m.hash = hashJSON(map[string]any{attachment.Type: up.SHA256})
	return nil
}
