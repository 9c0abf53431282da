package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

// patience bounds every wait of these tests; none needs more than a second.
const patience = 20 * time.Second

// The ids and tokens of the test accounts.
const (
	phoneID = "106540352242922"
	botID   = "Uaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	pageID  = "1906385232743451"
	igID    = "17841400008460056"
	secret  = "s3cr3t"
)

var users = [...]string{
	"U00000000000000000000000000000000",
	"U11111111111111111111111111111111",
	"U22222222222222222222222222222222",
}

// world is a simulator on loopback with one account a channel.
type world struct {
	t     *testing.T
	sim   *simulator.Server
	url   string
	clock *clock
	hooks chan hook
}

// hook is one webhook as it came.
type hook struct {
	header http.Header
	body   []byte
}

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// accounts are the four test accounts, after change.
func accounts(change func(*simulator.Account)) []simulator.Account {
	list := []simulator.Account{
		{Channel: simulator.WhatsApp, ExternalID: phoneID, WABAID: "waba1", DisplayPhoneNumber: "+1 555 078 3881", Token: "wa", Secret: secret},
		{Channel: simulator.LINE, ExternalID: botID, Token: "line", Secret: secret},
		{Channel: simulator.Facebook, ExternalID: pageID, Token: "fb", Secret: secret, AppID: "2781345"},
		{Channel: simulator.Instagram, ExternalID: igID, Token: "ig", Secret: secret},
	}
	for i := range list {
		if change != nil {
			change(&list[i])
		}
	}
	return list
}

// newWorld starts a simulator whose webhooks arrive in w.hooks, at once and
// once each until a test sets it otherwise.
func newWorld(t *testing.T, change func(*simulator.Account)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Unix(1_770_000_000, 0)}, hooks: make(chan hook, 1000)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.hooks <- hook{r.Header.Clone(), body}
	}))
	w.sim = simulator.New(simulator.Options{Now: w.clock.Now})
	server := httptest.NewServer(w.sim)
	t.Cleanup(func() { w.sim.Close(); server.Close(); receiver.Close() })
	w.url = server.URL
	require.NoError(t, w.sim.SetWebhooks(plainWebhooks()))
	require.NoError(t, w.sim.AddAccounts(accounts(func(a *simulator.Account) {
		a.WebhookURL = receiver.URL
		if change != nil {
			change(a)
		}
	})...))
	return w
}

// plainWebhooks send everything once, in order, one event a POST.
func plainWebhooks() simulator.Webhooks {
	return simulator.Webhooks{DelayMS: 5, Delivered: 1, Read: 1, BatchMax: 1, Retry: true, Seed: 7}
}

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// post sends a JSON body with a token and further headers as name, value.
func (w *world) post(path, token, body string, header ...string) answer {
	w.t.Helper()
	a, err := w.try(http.MethodPost, path, token, body, header...)
	require.NoError(w.t, err)
	return a
}

func (w *world) try(method, path, token, body string, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body) // a truncated body stays nil
	return a, err
}

// graphCode is the code and subcode of a Graph error.
func (a answer) graphCode() (code, subcode int) {
	e, _ := a.body["error"].(map[string]any)
	c, _ := e["code"].(float64)
	s, _ := e["error_subcode"].(float64)
	return int(c), int(s)
}

// whatsapp, line, messenger and instagram send a text.
func (w *world) whatsapp(to, text, opaque string) answer {
	w.t.Helper()
	return w.post("/whatsapp/v25.0/"+phoneID+"/messages", "wa", whatsappText(to, text, opaque))
}

func whatsappText(to, text, opaque string) string {
	return `{"messaging_product":"whatsapp","to":"` + to + `","type":"text","text":{"body":"` + text + `"},"biz_opaque_callback_data":"` + opaque + `"}`
}

func (w *world) push(to, text, key string) answer {
	w.t.Helper()
	return w.post("/line/v2/bot/message/push", "line", linePush(to, text), "X-Line-Retry-Key", key)
}

func linePush(to, text string) string {
	return `{"to":"` + to + `","messages":[{"type":"text","text":"` + text + `"}]}`
}

func (w *world) messenger(to, text, metadata string) answer {
	w.t.Helper()
	return w.post("/messenger/v25.0/"+pageID+"/messages", "fb", pageText(to, text, metadata))
}

func (w *world) instagram(to, text string) answer {
	w.t.Helper()
	return w.post("/instagram/v25.0/me/messages", "ig", pageText(to, text, ""))
}

func pageText(to, text, metadata string) string {
	return `{"recipient":{"id":"` + to + `"},"messaging_type":"UPDATE","message":{"text":"` + text + `","metadata":"` + metadata + `"}}`
}

// sendTo sends a text on any channel to the n-th test user.
func (w *world) sendTo(c simulator.Channel, n int, text string) (answer, error) {
	switch c {
	case simulator.WhatsApp:
		return w.try(http.MethodPost, "/whatsapp/v25.0/"+phoneID+"/messages", "wa", whatsappText(person(c, n), text, "key"))
	case simulator.LINE:
		return w.try(http.MethodPost, "/line/v2/bot/message/push", "line", linePush(person(c, n), text))
	case simulator.Facebook:
		return w.try(http.MethodPost, "/messenger/v25.0/me/messages", "fb", pageText(person(c, n), text, "key"))
	}
	return w.try(http.MethodPost, "/instagram/v25.0/me/messages", "ig", pageText(person(c, n), text, ""))
}

// person is the n-th test user of a channel.
func person(c simulator.Channel, n int) string {
	if c == simulator.LINE {
		return users[n]
	}
	return "8869000000" + string(rune('0'+n)) + "0"
}

func external(c simulator.Channel) string {
	return map[simulator.Channel]string{simulator.WhatsApp: phoneID, simulator.LINE: botID,
		simulator.Facebook: pageID, simulator.Instagram: igID}[c]
}

func channels() []simulator.Channel {
	return []simulator.Channel{simulator.WhatsApp, simulator.LINE, simulator.Facebook, simulator.Instagram}
}

// summary is the figures of one account.
func (w *world) summary(c simulator.Channel) simulator.Summary {
	w.t.Helper()
	for _, m := range w.sim.Summary() {
		if m.Channel == c {
			return m
		}
	}
	require.Fail(w.t, "no summary", c)
	return simulator.Summary{}
}

func (w *world) truth(c simulator.Channel) []simulator.Delivery { return w.sim.Truth(c, "") }

// hook waits for the next webhook.
func (w *world) hook() hook {
	w.t.Helper()
	select {
	case h := <-w.hooks:
		return h
	case <-time.After(patience):
		require.Fail(w.t, "no webhook came")
	}
	return hook{}
}

// decode returns the JSON of a webhook.
func (h hook) decode(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.NewDecoder(bytes.NewReader(h.body)).Decode(&v))
	return v
}

// at walks into decoded JSON: a string is a key, an int an index.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch k := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "%v is not an object at %q", v, k)
			v = m[k]
		case int:
			l, ok := v.([]any)
			require.True(t, ok && k < len(l), "%v has no index %d", v, k)
			v = l[k]
		}
	}
	return v
}
