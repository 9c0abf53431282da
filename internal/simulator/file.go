package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// File is a file that a person sends, and what is wrong with it.
type File struct {
	Name string `json:"name,omitempty"`
	MIME string `json:"mime,omitempty"` // as the provider says
	Data []byte `json:"data,omitempty"` // base64 in JSON
	// Size, if it is larger than the data, makes the file as long with zeros.
	Size int64 `json:"size,omitempty"`
	// NotReady is how many requests are told to come later: by LINE with 202,
	// by the others with 503.
	NotReady int       `json:"not_ready,omitempty"`
	Fault    FileFault `json:"fault,omitempty"`
}

// FileFault is what is wrong with a file.
type FileFault string

// The faults of a file. It is sent nonetheless.
const (
	FileGone     FileFault = "gone"      // deleted: 404, on LINE 410
	FileExpired  FileFault = "expired"   // the link of a webhook lapsed: 403; on WhatsApp the first link only
	FileCut      FileFault = "cut"       // the connection ends in the middle of the first download
	FileTooLarge FileFault = "too_large" // WhatsApp did not keep it: an error in its place
)

func (f *File) check() error {
	switch f.Fault {
	case "", FileGone, FileExpired, FileCut, FileTooLarge:
	default:
		return errors.New("the fault of a file is gone, expired, cut or too_large")
	}
	if f.MIME == "" {
		f.MIME = mediaType(http.DetectContentType(f.Data))
	}
	return nil
}

// keptFile is a person's file at the provider.
type keptFile struct {
	File
	id       string
	requests int
}

func (f *keptFile) size() int64 { return max(f.Size, int64(len(f.Data))) }

func (f *keptFile) sha256() string {
	sum := sha256.Sum256(f.Data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// body is the whole file, however long.
func (f *keptFile) body() io.Reader {
	zeros := io.LimitReader(endless{}, f.size()-int64(len(f.Data)))
	return io.MultiReader(bytes.NewReader(f.Data), zeros)
}

// endless gives zeros.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// keepFile stores a file under an id of its own. It runs under a.mu.
func (a *account) keepFile(f File) *keptFile {
	kept := &keptFile{File: f, id: newLINEMessageID()}
	if a.files == nil {
		a.files = map[string]*keptFile{}
	}
	a.files[kept.id] = kept
	return kept
}

var errNoAddress = errors.New("nobody has told this simulator its address: SetAddress, or any request")

// fileLink is where a file of Messenger or Instagram lies.
func (a *account) fileLink(f *keptFile) (string, error) {
	address, ok := a.server.address.Load().(string)
	if !ok {
		return "", errNoAddress
	}
	prefix := "/messenger"
	if a.channel == Instagram {
		prefix = "/instagram"
	}
	return address + prefix + "/files/" + a.id + "/of/" + f.id, nil
}

// SetAddress says where the server is reached, such as http://127.0.0.1:9090:
// links to files begin so. Without it, it is where
// the first request found it.
func (s *Server) SetAddress(address string) { s.address.Store(address) }

func (s *Server) fileRoutes() {
	s.mux.HandleFunc("GET /whatsapp/files/{id}/of/{file}", s.pageFile(WhatsApp))
	s.mux.HandleFunc("GET /messenger/files/{id}/of/{file}", s.pageFile(Facebook))
	s.mux.HandleFunc("GET /instagram/files/{id}/of/{file}", s.pageFile(Instagram))
	s.mux.HandleFunc("GET /line/v2/bot/message/{file}/content", s.lineFile)
}

// whatsappFile is GET /whatsapp/{version}/{media id}: where the file lies.
func (s *Server) whatsappFile(w http.ResponseWriter, r *http.Request) {
	holders := s.holders(WhatsApp, bearer(r))
	if len(holders) == 0 {
		e := graphError{status: 401, code: 190, title: "Invalid OAuth access token - Cannot parse access token"}
		s.write(w, r, e.reply(WhatsApp, "OAuthException"))
		return
	}
	for _, a := range holders {
		a.mu.Lock()
		f := a.files[r.PathValue("id")]
		stop := a.faults.cfg.StopCode
		a.mu.Unlock()
		if f == nil || f.Fault == FileGone {
			continue
		}
		if stop != 0 {
			a.mu.Lock()
			rep := a.stopped(stop)
			a.mu.Unlock()
			s.write(w, r, rep)
			return
		}
		s.write(w, r, graphReply(http.StatusOK, object{
			"messaging_product": "whatsapp", "id": f.id, "mime_type": f.MIME, "sha256": f.sha256(), "file_size": f.size(),
			"url": "http://" + r.Host + "/whatsapp/files/" + a.id + "/of/" + f.id,
		}))
		return
	}
	s.graphUnknown(w, r)
}

// pageFile serves a file by its link; WhatsApp's wants the token too.
func (s *Server) pageFile(c Channel) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := s.find(c, r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		a.mu.Lock()
		authorized := c != WhatsApp || bearer(r) == a.cfg.Token
		a.mu.Unlock()
		if !authorized {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		a.serveFile(w, r, http.StatusServiceUnavailable, http.StatusNotFound)
	}
}

func (s *Server) lineFile(w http.ResponseWriter, r *http.Request) {
	a, refused := s.lineAccount(r)
	if refused != nil {
		s.write(w, r, *refused)
		return
	}
	a.serveFile(w, r, http.StatusAccepted, http.StatusGone)
}

// serveFile writes a file as its faults allow.
func (a *account) serveFile(w http.ResponseWriter, r *http.Request, later, gone int) {
	a.mu.Lock()
	f := a.files[r.PathValue("file")]
	if f == nil {
		a.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	f.requests++
	nth := f.requests
	a.mu.Unlock()
	lapsed := f.Fault == FileExpired && (a.channel != WhatsApp || nth == 1)
	switch {
	case f.Fault == FileGone:
		w.WriteHeader(gone)
	case lapsed && a.channel == WhatsApp:
		w.WriteHeader(http.StatusNotFound)
	case lapsed:
		w.WriteHeader(http.StatusForbidden)
	case nth <= f.NotReady:
		w.WriteHeader(later)
	default:
		w.Header().Set("Content-Type", f.MIME)
		w.Header().Set("Content-Length", strconv.FormatInt(f.size(), 10))
		body := f.body()
		if f.Fault == FileCut && nth == 1 {
			body = io.LimitReader(body, f.size()/2)
		}
		_, _ = io.Copy(w, body) // the reader may have had enough
	}
}
