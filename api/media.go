package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"gocloud.dev/blob"

	"omniflow/internal/media"
	"omniflow/internal/omniflow"
)

// maxUploadBytes is the largest file and the form around it.
const maxUploadBytes = omniflow.MaxMediaBytes + 1<<20

type mediaBody struct {
	ID     uuid.UUID            `json:"id"`
	Kind   omniflow.MessageKind `json:"kind" enum:"image,video,audio,file" doc:"What the bytes are; anything may also be sent as a file."`
	MIME   string               `json:"mime"`
	Name   string               `json:"name"`
	Bytes  int64                `json:"bytes"`
	SHA256 string               `json:"sha256" doc:"Hexadecimal."`
}

var errNoFiles = omniflow.Refuse(omniflow.FeatureDisabled, "BRD-06", "no store of files is configured (OMNIFLOW_BLOB_URL)")

type mediaOutput struct{ Body mediaBody }

type uploadInput struct{}

func (s *service) addMedia(m *router) {
	register(s, route{method: http.MethodPost, path: "/v1/media", id: "upload-media", summary: "Upload a file for broadcasts and saved replies",
		access: memberOnly, status: http.StatusCreated, maxBody: maxUploadBytes, raw: true, form: true}, s.uploadMedia)
	register(s, route{method: http.MethodGet, path: "/v1/media/{id}", id: "download-media", summary: "Look at a file of the team, a customer's too",
		access: memberOnly}, s.downloadMedia)
	m.HandleFunc("GET /media/{id}/{signature}", s.serveMedia)
	m.HandleFunc("GET /media/{id}/{signature}/{variant}", s.serveMedia)
}

// uploadMedia stores the one file of a form. Its type is what its bytes say,
// and its name must not say otherwise.
func (s *service) uploadMedia(ctx context.Context, _ *uploadInput) (*mediaOutput, error) {
	if s.files == nil {
		return nil, errNoFiles
	}
	name, body, err := fileOf(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.files.Put(ctx, newResourceID(ctx), name, body)
	if err != nil {
		return nil, uploadError(err)
	}
	who := identityOf(ctx)
	if err := s.store.SaveMedia(ctx, who.TeamID, who.MemberID, m); err != nil {
		return nil, err
	}
	return &mediaOutput{Body: bodyOfMedia(m)}, nil
}

func bodyOfMedia(m omniflow.Media) mediaBody {
	return mediaBody{ID: m.ID, Kind: m.Kind, MIME: m.MIME, Name: m.Name, Bytes: m.Bytes, SHA256: m.SHA256}
}

// uploadError tells a client's fault from one of ours.
func uploadError(err error) error {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return bodyTooLarge(omniflow.MaxMediaBytes)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badInput("the form ends in the middle of the file")
	}
	return err
}

// formError tells a form that is too long from one that is none.
func formError(err error) error {
	if known := uploadError(err); known != err {
		return known
	}
	return badInput("the form cannot be read")
}

// fileOf is the file of a form: the part named "file".
func fileOf(ctx context.Context) (name string, body io.Reader, err error) {
	r, ok := ctx.Value(bodyKey{}).(*http.Request)
	if !ok {
		return "", nil, fmt.Errorf("read form: the route does not pass it")
	}
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, badInput("the body must be multipart/form-data")
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, badInput("the form has no part named file")
		}
		if err != nil {
			return "", nil, formError(err)
		}
		if part.FormName() == "file" {
			return part.FileName(), part, nil
		}
	}
}

type downloadInput struct {
	ID uuid.UUID `path:"id"`
}

// downloadMedia gives a file of the team to any of its members: all of it, or
// the part that a Range asks for.
func (s *service) downloadMedia(ctx context.Context, in *downloadInput) (*huma.StreamResponse, error) {
	if s.files == nil {
		return nil, errNoFiles
	}
	m, err := s.store.FindMedia(ctx, identityOf(ctx).TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	file, err := s.files.Get(ctx, m.ID, media.Original)
	if errors.Is(err, media.ErrNotFound) {
		return nil, omniflow.Refuse(omniflow.NotFound, "SYS-13", "the file is not there")
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		defer func() { _ = file.Close() }()
		w.Header().Set("Cache-Control", "private, no-store")
		writeMedia(w, r, m, m.MIME, file)
	}}, nil
}

// writeMedia answers with a file. What a browser opens of it runs nothing, for
// a stranger may have made it.
func writeMedia(w http.ResponseWriter, r *http.Request, m omniflow.Media, mimeType string, file *blob.Reader) {
	h := w.Header()
	h.Set("Content-Type", mimeType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if m.Kind == omniflow.File {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": m.Name}))
	}
	http.ServeContent(w, r, "", file.ModTime(), file)
}

// serveMedia gives a file to whoever shows its signed address: providers fetch
// it for their users, in parts if they like. Nothing else is told.
func (s *service) serveMedia(w http.ResponseWriter, r *http.Request) {
	if err := s.sendMedia(w, r); err != nil {
		writeProblem(w, s.problem(r.Context(), err))
	}
}

func (s *service) sendMedia(w http.ResponseWriter, r *http.Request) error {
	none := omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is nothing at this address")
	id, err := uuid.Parse(r.PathValue("id"))
	variant := media.Variant(r.PathValue("variant"))
	if err != nil || s.files == nil || !s.links.Signed(id, variant, r.PathValue("signature")) {
		return none
	}
	m, err := s.store.PublicMedia(r.Context(), id)
	if err != nil {
		return err
	}
	file, err := s.files.Get(r.Context(), id, variant)
	if errors.Is(err, media.ErrNotFound) {
		return none
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	mimeType := m.MIME
	if variant == media.Preview {
		mimeType = "image/jpeg"
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	writeMedia(w, r, m, mimeType, file)
	return nil
}
