package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// maxAdminBody bounds the body of an administration call: a million users fit.
const maxAdminBody = 256 << 20

func (s *Server) adminRoutes() {
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	s.mux.HandleFunc("POST /_sim/accounts", adminCall(func(list []Account) error { return s.AddAccounts(list...) }))
	s.mux.HandleFunc("GET /_sim/accounts", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, s.Accounts())
	})
	s.mux.HandleFunc("POST /_sim/users", adminCall(each(s.AddUsers)))
	s.mux.HandleFunc("POST /_sim/templates", adminCall(func(list []Template) error { return s.AddTemplates(list...) }))
	s.mux.HandleFunc("PUT /_sim/faults", adminCall(each(s.SetFaults)))
	s.mux.HandleFunc("PUT /_sim/webhooks", adminCall(each(func(h webhooksOverDefaults) error {
		return s.SetWebhooks(Webhooks(h))
	})))
	s.mux.HandleFunc("POST /_sim/inbound", s.adminInbound)
	s.mux.HandleFunc("GET /_sim/truth", s.adminTruth)
	s.mux.HandleFunc("GET /_sim/uploads", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, s.Uploads())
	})
	s.mux.HandleFunc("GET /_sim/summary", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, s.Summary())
	})
	s.mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		adminReply(w, http.StatusOK, map[string]bool{"ok": true})
	})
}

// webhooksOverDefaults decodes settings in which what is left out is the default.
type webhooksOverDefaults Webhooks

// UnmarshalJSON implements json.Unmarshaler.
func (h *webhooksOverDefaults) UnmarshalJSON(raw []byte) error {
	w := DefaultWebhooks()
	err := decodeStrict(raw, &w)
	*h = webhooksOverDefaults(w)
	return err
}

// each makes a function of one into a function of many.
func each[T any](do func(T) error) func([]T) error {
	return func(list []T) error {
		for _, v := range list {
			if err := do(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// adminCall decodes one T or a list of T and does what is asked.
func adminCall[T any](do func([]T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		list, err := decodeMany[T](w, r)
		if err == nil {
			err = do(list)
		}
		if err != nil {
			adminReply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		adminReply(w, http.StatusOK, map[string]int{"count": len(list)})
	}
}

func decodeMany[T any](w http.ResponseWriter, r *http.Request) ([]T, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' {
		var list []T
		err = decodeStrict(raw, &list)
		return list, err
	}
	list := make([]T, 1)
	err = decodeStrict(raw, &list[0])
	return list, err
}

// decodeStrict refuses fields that are not known, so that a typing mistake in
// a test is not taken for a default.
func decodeStrict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func (s *Server) adminInbound(w http.ResponseWriter, r *http.Request) {
	list, err := decodeMany[InboundMessage](w, r)
	ids := []string{}
	for i := 0; err == nil && i < len(list); i++ {
		var id string
		if id, err = s.Inbound(list[i]); err == nil {
			ids = append(ids, id)
		}
	}
	if err != nil {
		adminReply(w, http.StatusBadRequest, map[string]any{"error": err.Error(), "event_ids": ids})
		return
	}
	adminReply(w, http.StatusOK, map[string][]string{"event_ids": ids})
}

// adminTruth streams the deliveries as lines of JSON.
func (s *Server) adminTruth(w http.ResponseWriter, r *http.Request) {
	channel, id := Channel(r.URL.Query().Get("channel")), r.URL.Query().Get("external_id")
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	for _, a := range s.all() {
		if !matches(channel, id, a) {
			continue
		}
		for _, rec := range a.records() {
			if lines.Encode(a.delivery(rec)) != nil {
				return // the reader has gone
			}
		}
	}
}

func adminReply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have gone
}
