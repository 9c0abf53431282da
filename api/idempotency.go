package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

const (
	keyHeader    = "Idempotency-Key"
	replayHeader = "Idempotent-Replay"
	// abandonedAfter is when a request that has not answered counts as dead.
	abandonedAfter = 30 * time.Second
	// finishBudget bounds what is done for a request whose client may be gone.
	finishBudget = 5 * time.Second
	// settleEach is how often a key is settled again while the database is away.
	settleEach = 250 * time.Millisecond
)

// answer is a response as it is kept for those who repeat the request. It is
// sealed at rest: some answers hold a token.
type answer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        []byte `json:"body"`
}

// idempotent gives to a POST with a key that was used before the answer of the
// first request, and lets one request a key run at a time.
func (s *service) idempotent(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header(keyHeader)
	if ctx.Method() != http.MethodPost || key == "" {
		next(ctx)
		return
	}
	_, w := humago.Unwrap(ctx)
	if err := s.runOnce(ctx, w, key, next); err != nil {
		writeProblem(w, s.problem(ctx.Context(), err))
	}
}

func (s *service) runOnce(ctx huma.Context, w http.ResponseWriter, key string, next func(huma.Context)) error {
	if !validKey(key) {
		return badInput("an Idempotency-Key has 1 to 255 printable characters")
	}
	r, _ := humago.Unwrap(ctx)
	fingerprint, err := takeFingerprint(r)
	if err != nil {
		return err
	}
	who := identityOf(ctx.Context())
	name := postgres.RequestKey{TeamID: who.TeamID, ActorID: who.MemberID, Key: key}
	if who.Platform {
		name.TeamID = uuid.Nil // the platform's keys are its own, whatever team the path names
	}
	claim, err := s.store.ClaimRequest(ctx.Context(), name, fingerprint, abandonedAfter)
	if err != nil {
		return err
	}
	if !claim.Mine {
		return s.replay(w, name, claim, fingerprint)
	}
	first := s.record(ctx, r, claim.ResourceID, next)
	s.settle(ctx.Context(), name, claim, first)
	first.write(w)
	return nil
}

func validKey(key string) bool {
	for _, c := range []byte(key) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return len(key) <= 255
}

// takeFingerprint reads the body, puts it back, and hashes what was asked.
func takeFingerprint(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", r.Method, r.URL.RequestURI())
	h.Write(body)
	return h.Sum(nil), nil
}

// record runs the request and keeps its answer instead of writing it.
func (s *service) record(ctx huma.Context, r *http.Request, resourceID uuid.UUID, next func(huma.Context)) answer {
	out := &recorder{header: http.Header{}, status: http.StatusOK}
	inner := context.WithValue(ctx.Context(), resourceIDKey{}, resourceID)
	next(humago.NewContext(ctx.Operation(), r.WithContext(inner), out))
	return answer{Status: out.status, ContentType: out.header.Get("Content-Type"), Body: out.body.Bytes()}
}

// settle keeps an answer, or, after a fault of ours, lets the request run
// again. While the database is away it is tried on in the background: a client
// that asks again should not wait until the key counts as abandoned.
func (s *service) settle(ctx context.Context, name postgres.RequestKey, claim postgres.RequestClaim, a answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonedAfter)
	if s.settleOnce(ctx, name, claim, a) == nil {
		cancel()
		return
	}
	go func() {
		defer cancel()
		ticker := time.NewTicker(settleEach)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			if s.settleOnce(ctx, name, claim, a) == nil {
				return
			}
		}
	}()
}

func (s *service) settleOnce(ctx context.Context, name postgres.RequestKey, claim postgres.RequestClaim, a answer) error {
	ctx, cancel := context.WithTimeout(ctx, finishBudget)
	defer cancel()
	if a.Status >= 499 {
		err := s.store.ReleaseRequest(ctx, name, claim.Token)
		if err != nil {
			s.log.WarnContext(ctx, "idempotency key not released yet", "error", err)
		}
		return err
	}
	plain, err := json.Marshal(a)
	if err == nil {
		err = s.store.FinishRequest(ctx, name, claim.Token, a.Status, s.keys.Seal(plain, answerPurpose(name)))
	}
	if err != nil {
		s.log.WarnContext(ctx, "answer not kept yet", "error", err)
	}
	return err
}

func (s *service) replay(w http.ResponseWriter, name postgres.RequestKey, claim postgres.RequestClaim, fingerprint []byte) error {
	switch {
	case !bytes.Equal(claim.Fingerprint, fingerprint):
		return omniflow.Refuse(codeKeyReused, "SYS-01", "this Idempotency-Key belongs to another request")
	case claim.Status == 0:
		w.Header().Set("Retry-After", "1")
		return omniflow.Refuse(codeInProgress, "SYS-01", "the first request with this Idempotency-Key is still running; ask again")
	}
	plain, err := s.keys.Open(claim.Response, answerPurpose(name))
	if err != nil {
		return fmt.Errorf("open kept answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(plain, &a); err != nil {
		return fmt.Errorf("read kept answer: %w", err)
	}
	w.Header().Set(replayHeader, "true")
	a.write(w)
	return nil
}

func answerPurpose(name postgres.RequestKey) []byte {
	return []byte("answer " + name.TeamID.String() + " " + name.ActorID.String() + " " + name.Key)
}

func (a answer) write(w http.ResponseWriter) {
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Status)
	// A client that is gone asks again with the same key.
	_, _ = w.Write(a.Body)
}

// recorder is a ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// SetReadDeadline lets huma bound the reading of a body that is read already.
func (r *recorder) SetReadDeadline(time.Time) error { return nil }
