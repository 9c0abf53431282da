package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"omniflow/internal/channel"
	"omniflow/internal/channel/webchat"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

const (
	codeTooMany         omniflow.Code = "too_many_requests"
	codeOriginForbidden omniflow.Code = "origin_forbidden"

	maxWidgetBody = 64 << 10
	maxWidgetText = 5000 // characters of a customer's text
	widgetPage    = 100  // messages of one answer at most
)

// The rates of the widget's calls, a second and at once. What an account takes
// in all keeps one site from flooding the others.
const (
	customerRate, customerBurst = 2, 20
	accountRate, accountBurst   = 500, 1000
)

// widgetID is the widget's own id of a message.
var widgetID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// widgetCall is one call of a widget: the account it belongs to, and whose it
// is.
type widgetCall struct {
	account  channel.Account
	customer string // "" for a new session
}

// addWebchat adds the door of the widget. It has no bearer token of a member:
// each customer has a session of its own, signed for one account.
func (s *service) addWebchat(m *router) {
	const path = "/webchat/{account_id}"
	for call, handle := range map[string]func(http.ResponseWriter, *http.Request, widgetCall) error{
		"POST " + path + "/messages":  s.widgetWrites,
		"POST " + path + "/ask-human": s.widgetAsksHuman,
		"POST " + path + "/opened":    s.widgetOpened,
		"GET " + path + "/messages":   s.widgetReads,
	} {
		m.HandleFunc(call, s.widget(true, handle))
	}
	m.HandleFunc("POST "+path+"/sessions", s.widget(false, s.widgetBegins))
	m.HandleFunc("OPTIONS "+path+"/{call}", s.widget(false, func(w http.ResponseWriter, _ *http.Request, _ widgetCall) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

// widget lets a call pass that comes from an allowed site, of a customer with a
// session where one is needed, and not too often.
func (s *service) widget(session bool, handle func(http.ResponseWriter, *http.Request, widgetCall) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, err := s.widgetCall(w, r, session)
		if err == nil {
			err = handle(w, r, call)
		}
		if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
		}
	}
}

func (s *service) widgetCall(w http.ResponseWriter, r *http.Request, session bool) (widgetCall, error) {
	var call widgetCall
	id, err := uuid.Parse(r.PathValue("account_id"))
	if err != nil {
		return call, omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no such channel account")
	}
	if call.account, err = s.widgetAccount(r.Context(), id); err != nil {
		return call, err
	}
	noteOf(r.Context()).teamID = call.account.TeamID.String()
	if err := s.admitOrigin(w, r, id); err != nil || r.Method == http.MethodOptions {
		return call, err
	}
	now := s.now()
	if !s.throttle.allow(id.String(), accountRate, accountBurst, now) {
		return call, tooMany(w)
	}
	if !session {
		return call, nil
	}
	if call.customer, err = s.widgetCustomer(r, id); err != nil {
		return call, err
	}
	if !s.throttle.allow(id.String()+call.customer, customerRate, customerBurst, now) {
		return call, tooMany(w)
	}
	return call, nil
}

func tooMany(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", "1")
	return newProblem(http.StatusTooManyRequests, codeTooMany, "too many calls: ask again in a second")
}

func (s *service) widgetAccount(ctx context.Context, id uuid.UUID) (channel.Account, error) {
	if a, ok := s.accounts.get(id, s.now()); ok && a.Channel == omniflow.Webchat {
		return a, nil
	}
	a, err := s.loadWebhookAccount(ctx, omniflow.Webchat, id)
	if err == nil {
		s.accounts.put(a, s.now())
	}
	return a, err
}

// admitOrigin lets pages of the account's sites read the answer. A call that no
// page makes has no origin.
func (s *service) admitOrigin(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	allowed, err := s.store.AllowedOrigins(r.Context(), id)
	if err != nil {
		return err
	}
	if !slices.Contains(allowed, origin) {
		return newProblem(http.StatusForbidden, codeOriginForbidden, "this site may not show the widget: PUT …/allowed-origins")
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	return nil
}

// sessionText is what the signature of a session is over.
func sessionText(account uuid.UUID, customer string) string {
	return "webchat " + account.String() + " " + customer
}

// widgetBegins gives a new customer a session. Nothing is stored before the
// customer writes.
func (s *service) widgetBegins(w http.ResponseWriter, _ *http.Request, call widgetCall) error {
	customer := "wc-" + uuid.NewString()
	return answerWidget(w, http.StatusCreated, map[string]string{
		"customer": customer, "token": customer + "~" + s.keys.Sign(sessionText(call.account.ID, customer)),
	})
}

// widgetCustomer is whose session a call shows.
func (s *service) widgetCustomer(r *http.Request, account uuid.UUID) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	customer, signature, ok := strings.Cut(token, "~")
	if !ok || !strings.EqualFold(scheme, "Bearer") || !s.keys.Signed(sessionText(account, customer), signature) {
		return "", newProblem(http.StatusUnauthorized, codeUnauthenticated, "a session of this widget is required: POST …/sessions")
	}
	return customer, nil
}

// widgetWrites takes a message: {"id":"…","text":"…"}, or a form with an id and
// a picture. Saying it again under its id changes nothing.
func (s *service) widgetWrites(w http.ResponseWriter, r *http.Request, call widgetCall) error {
	e := webchat.Event{Type: webchat.Wrote, Customer: call.customer}
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		e.ID, e.Media, err = s.widgetPicture(w, r, call)
	} else {
		e.ID, e.Text, err = widgetText(w, r)
	}
	if err != nil {
		return err
	}
	return s.widgetSays(w, r, call, e)
}

// widgetAsksHuman takes the tap on "talk to a human": {"id":"…"} (CNV-11).
func (s *service) widgetAsksHuman(w http.ResponseWriter, r *http.Request, call widgetCall) error {
	var body struct {
		ID string `json:"id"`
	}
	if err := readWidget(w, r, &body); err != nil {
		return err
	}
	return s.widgetSays(w, r, call, webchat.Event{Type: webchat.AskHuman, Customer: call.customer, ID: body.ID})
}

// widgetOpened notes that the customer opened the widget and reads: what was
// sent until now becomes read (MSG-04).
func (s *service) widgetOpened(w http.ResponseWriter, r *http.Request, call widgetCall) error {
	return s.widgetSays(w, r, call, webchat.Event{Type: webchat.Opened, Customer: call.customer})
}

// widgetSays puts an event into the inbox and answers when it is committed.
func (s *service) widgetSays(w http.ResponseWriter, r *http.Request, call widgetCall, e webchat.Event) error {
	if e.Type != webchat.Opened && !widgetID.MatchString(e.ID) {
		return badInput("id must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
	}
	e.At = s.now().UTC()
	body, err := webchat.Body(e)
	if err != nil {
		return err
	}
	a := call.account
	if _, err := s.inbox.receive(r.Context(), postgres.Webhook{TeamID: a.TeamID, Channel: a.Channel, ChannelAccountID: a.ID, Body: body}); err != nil {
		return err
	}
	return answerWidget(w, http.StatusAccepted, map[string]string{"id": e.ID})
}

func widgetText(w http.ResponseWriter, r *http.Request) (id, text string, err error) {
	var body struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	if err := readWidget(w, r, &body); err != nil {
		return "", "", err
	}
	if no := omniflow.CheckText(omniflow.Webchat, body.Text); no != nil {
		return "", "", no
	}
	if n := utf8.RuneCountInString(body.Text); n > maxWidgetText {
		return "", "", omniflow.Refuse(omniflow.MessageTooLong, "MSG-01", "a text has at most %d characters, not %d", maxWidgetText, n)
	}
	return body.ID, body.Text, nil
}

// readWidget decodes a small JSON body, in which a NUL is refused.
func readWidget(w http.ResponseWriter, r *http.Request, into any) error {
	// A connection without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webhookBudget))
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxWidgetBody)).Decode(into)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return bodyTooLarge(maxWidgetBody)
	case err != nil:
		return badInput("the body is not the JSON of this call")
	}
	return nil
}

// answerWidget is writeJSON as the last word of a handler.
func answerWidget(w http.ResponseWriter, status int, body any) error {
	writeJSON(w, status, body)
	return nil
}
