package simulator

import (
	"mime"
	"net/http"
)

// The endpoints of LINE that have rate limits of their own here.
const (
	endpointPush      = "push"
	endpointMulticast = "multicast"
	endpointReply     = "reply"
	endpointValidate  = "validate"
)

const (
	lineBadToken  = "Authentication failed due to the following reason: invalid token. Confirm that the access token in the authorization header is valid."
	lineQuotaOver = "You have reached your monthly limit."
	lineFailed    = "Failed to send messages"
)

func (s *Server) lineRoutes() {
	s.mux.HandleFunc("POST /line/v2/bot/message/push", s.lineSend(endpointPush))
	s.mux.HandleFunc("POST /line/v2/bot/message/multicast", s.lineSend(endpointMulticast))
	s.mux.HandleFunc("POST /line/v2/bot/message/reply", s.lineSend(endpointReply))
	s.mux.HandleFunc("POST /line/v2/bot/message/validate/{kind}", s.lineValidate)
	s.mux.HandleFunc("GET /line/v2/bot/message/quota", s.lineRead(lineQuota))
	s.mux.HandleFunc("GET /line/v2/bot/message/quota/consumption", s.lineRead(lineConsumption))
	s.mux.HandleFunc("GET /line/v2/bot/info", s.lineRead(lineInfo))
	s.mux.HandleFunc("GET /line/v2/bot/profile/{user}", s.lineRead(lineProfile))
	s.mux.HandleFunc("/line/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, lineFail(http.StatusNotFound, "Not found"))
	})
}

// lineReply is any JSON with a request id of its own.
func lineReply(status int, v any) reply {
	return reply{status: status, body: mustJSON(v), header: [][2]string{{"X-Line-Request-Id", newRequestID()}}}
}

func lineFail(status int, message string) reply {
	return lineReply(status, lineError{Message: message})
}

// lineAccount finds the channel that the token belongs to.
func (s *Server) lineAccount(r *http.Request) (*account, *reply) {
	if holders := s.holders(LINE, bearer(r)); len(holders) > 0 {
		return holders[0], nil
	}
	rep := lineFail(http.StatusUnauthorized, lineBadToken)
	return nil, &rep
}

// lineBody reads a JSON body, or returns the refusal.
func lineBody(w http.ResponseWriter, r *http.Request) ([]byte, *reply) {
	kind := r.Header.Get("Content-Type")
	if plain, _, _ := mime.ParseMediaType(kind); plain != "application/json" {
		rep := lineFail(http.StatusUnsupportedMediaType, "The content type, "+kind+", is not supported")
		return nil, &rep
	}
	body, ok := readBody(w, r)
	if !ok {
		rep := lineFail(http.StatusRequestEntityTooLarge, "The request body is too large")
		return nil, &rep
	}
	return body, nil
}

// lineSend is push, multicast or reply.
func (s *Server) lineSend(endpoint string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, refused := s.lineAccount(r)
		var body []byte
		if refused == nil {
			body, refused = lineBody(w, r)
		}
		if refused != nil {
			s.write(w, r, *refused)
			return
		}
		q, invalid := parseLINE(endpoint, body)
		s.write(w, r, a.takeLINE(endpoint, r.Header.Get("X-Line-Retry-Key"), &q, invalid))
	}
}

// lineValidate checks message objects and sends nothing.
func (s *Server) lineValidate(w http.ResponseWriter, r *http.Request) {
	a, refused := s.lineAccount(r)
	var body []byte
	if refused == nil {
		body, refused = lineBody(w, r)
	}
	if refused != nil {
		s.write(w, r, *refused)
		return
	}
	_, invalid := parseLINE("", body)
	a.mu.Lock()
	rep := lineReply(http.StatusOK, struct{}{})
	switch {
	case !a.arrive(endpointValidate):
		rep = a.throttled()
	case r.Header.Get("X-Line-Retry-Key") != "":
		rep = lineFail(http.StatusBadRequest, retryKeyNotHere)
	case !validatable(r.PathValue("kind")):
		rep = lineFail(http.StatusNotFound, "Not found")
	case invalid != nil:
		rep = lineReply(http.StatusBadRequest, *invalid)
	}
	a.mu.Unlock()
	s.write(w, r, rep)
}

func validatable(kind string) bool {
	switch kind {
	case "reply", "push", "multicast", "narrowcast", "broadcast":
		return true
	}
	return false
}
