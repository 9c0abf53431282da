package main

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/media"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// maxPictureForm is the largest picture of FIL-01 and the form around it.
const maxPictureForm = 10*omniflow.MB + 64<<10

// widgetPicture keeps the picture of a form with the fields id and then file.
// Its id is made of the customer's and the message's, so that one sent again
// takes the place of the first.
func (s *service) widgetPicture(w http.ResponseWriter, r *http.Request, call widgetCall) (id string, ref *omniflow.MediaRef, err error) {
	if s.files == nil {
		return "", nil, errNoFiles
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(importBudget))
	r.Body = http.MaxBytesReader(w, r.Body, maxPictureForm)
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, badInput("the form cannot be read")
	}
	part, err := form.NextPart()
	if err == nil && part.FormName() == "id" {
		var name []byte
		if name, err = io.ReadAll(io.LimitReader(part, 65)); err == nil {
			id = string(name)
			part, err = form.NextPart()
		}
	}
	switch {
	case errors.Is(err, io.EOF) || err == nil && part.FormName() != "file":
		return "", nil, badInput("the form has the fields id and then file")
	case err != nil:
		return "", nil, formError(err)
	case !widgetID.MatchString(id):
		return "", nil, badInput("id must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
	}
	key := uuid.NewSHA1(call.account.ID, []byte(call.customer+":"+id))
	m, err := s.files.Keep(r.Context(), key, part.FileName(), part)
	if err != nil {
		return "", nil, pictureError(err)
	}
	if no := omniflow.CheckMedia(omniflow.Webchat, m.Kind, m); no != nil {
		return "", nil, no
	}
	if err := s.store.SaveCustomerMedia(r.Context(), call.account.TeamID, m); err != nil {
		return "", nil, err
	}
	return id, &omniflow.MediaRef{Kind: string(omniflow.Image), Name: m.Name, MediaID: m.ID}, nil
}

// pictureError tells a picture that is too large from a form that is none.
func pictureError(err error) error {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return omniflow.Refuse(omniflow.MediaTooLarge, "FIL-01", "web chat takes 10 MB of image")
	}
	return uploadError(err)
}

// widgetItem is a message of the team as the widget shows it.
type widgetItem struct {
	ID     uuid.UUID            `json:"id"`
	Kind   omniflow.MessageKind `json:"kind"`
	Text   string               `json:"text,omitempty"`
	Link   string               `json:"link,omitempty"`
	SentAt time.Time            `json:"sent_at"`
}

// widgetReads lists what the team sent, oldest first: ?after= the next of the
// answer before. Reading is not opening: only opened makes messages read.
func (s *service) widgetReads(w http.ResponseWriter, r *http.Request, call widgetCall) error {
	q := postgres.WebchatQuery{TeamID: call.account.TeamID, ChannelAccountID: call.account.ID, Customer: call.customer, Limit: widgetPage}
	after := r.URL.Query().Get("after")
	if after != "" {
		var err error
		if q.After, err = uuid.Parse(after); err != nil {
			return badInput("after is not the next of an answer")
		}
	}
	messages, err := s.store.ListWebchatMessages(r.Context(), q)
	if err != nil {
		return err
	}
	items := []widgetItem{}
	for _, m := range messages {
		after = m.ID.String()
		for _, c := range m.Contents {
			items = append(items, s.widgetItem(m, c))
		}
	}
	return answerWidget(w, http.StatusOK, struct {
		Items []widgetItem `json:"items"`
		Next  string       `json:"next"`
	}{items, after})
}

func (s *service) widgetItem(m postgres.WebchatMessage, c omniflow.Content) widgetItem {
	item := widgetItem{ID: m.ID, Kind: c.Kind, Text: c.Text, SentAt: m.SentAt.UTC()}
	if c.Media != nil {
		item.Link = s.links.URL(c.Media.ID, media.Original)
	}
	return item
}
