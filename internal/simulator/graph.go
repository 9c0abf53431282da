package simulator

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// endpointMessages is the one endpoint of the Graph channels that sends.
const endpointMessages = "messages"

// maxBody is the largest request body, as LINE documents it.
const maxBody = 2 << 20

var graphVersion = regexp.MustCompile(`^v[0-9]{1,2}\.[0-9]$`)

// graphError is an error in the words of the Graph API. Its HTTP status is
// that of the December 2025 edition of the error pages.
type graphError struct {
	status    int
	code      int
	subcode   int
	title     string // follows "(#code) " in the message
	details   string // error_data.details; WhatsApp only
	transient bool
}

// graphBody is the envelope of every Graph error.
type graphBody struct {
	Error graphBodyError `json:"error"`
}

type graphBodyError struct {
	Message   string          `json:"message"`
	Type      string          `json:"type"`
	Code      int             `json:"code"`
	Subcode   int             `json:"error_subcode,omitempty"`
	Data      *graphErrorData `json:"error_data,omitempty"`
	Transient bool            `json:"is_transient,omitempty"`
	TraceID   string          `json:"fbtrace_id"`
}

type graphErrorData struct {
	Product string `json:"messaging_product"`
	Details string `json:"details"`
}

// reply puts the error into its envelope, as the channel words it. kind is the
// error's type.
func (e graphError) reply(c Channel, kind string) reply {
	trace := newTraceID()
	b := graphBody{graphBodyError{
		Message: fmt.Sprintf("(#%d) %s", e.code, e.title), Type: kind,
		Code: e.code, Subcode: e.subcode, Transient: e.transient, TraceID: trace,
	}}
	if c == WhatsApp && e.details != "" {
		b.Error.Data = &graphErrorData{"whatsapp", e.details}
	}
	rep := graphReply(e.status, b)
	rep.header = append(rep.header, [2]string{"x-fb-trace-id", trace})
	return rep
}

// graphReply is any JSON with the headers of the Graph API.
func graphReply(status int, v any) reply {
	return reply{status: status, body: mustJSON(v), header: [][2]string{
		{"facebook-api-version", "v25.0"}, {"x-fb-request-id", newTraceID()},
	}}
}

// graphFail answers a with an error of its provider.
func (a *account) graphFail(e graphError) reply {
	rep := e.reply(a.cfg.Channel, graphKind(a.cfg))
	rep.latency = a.faults.latency()
	return rep
}

// graphKind is the type of an account's errors: an Instagram account without a
// linked page is of the Instagram Login variant.
func graphKind(c Account) string {
	if c.Channel == Instagram && c.PageID == "" {
		return "IGApiException"
	}
	return "OAuthException"
}

// graphAccount finds the account of a request by path and token. Otherwise it
// returns the refusal.
func (s *Server) graphAccount(r *http.Request, c Channel) (*account, *reply) {
	id := r.PathValue("id")
	fail := func(e graphError) (*account, *reply) {
		rep := e.reply(c, "OAuthException")
		return nil, &rep
	}
	if !graphVersion.MatchString(r.PathValue("version")) {
		return fail(graphError{status: 400, code: 2500, title: "Unknown path components: /" + r.PathValue("version")})
	}
	token := bearer(r)
	if token == "" {
		token = r.URL.Query().Get("access_token")
	}
	holders := s.holders(c, token)
	if len(holders) == 0 {
		return fail(graphError{status: 401, code: 190, title: "Invalid OAuth access token - Cannot parse access token"})
	}
	if id == "me" && c != WhatsApp {
		return holders[0], nil
	}
	a, err := s.find(c, id)
	if err != nil {
		return fail(graphError{status: 400, code: 100, subcode: 33,
			title: "Unsupported post request. Object with ID '" + id + "' does not exist, cannot be loaded due to missing permissions, or does not support this operation"})
	}
	for _, h := range holders {
		if h == a {
			return a, nil
		}
	}
	return fail(graphError{status: 403, code: 10, title: "Application does not have permission for this action"})
}

// graphUnknown answers paths and methods that are not simulated.
func (s *Server) graphUnknown(w http.ResponseWriter, r *http.Request) {
	e := graphError{status: 400, code: 100, subcode: 33, title: "Unsupported request: " + r.Method + " " + r.URL.Path}
	s.write(w, r, e.reply("", "GraphMethodException"))
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// readBody returns the whole body; ok is false when it is too large or cut off.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	return body, err == nil
}
