package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/webchat"
	"omniflow/internal/omniflow"
)

// site is a web chat account with one customer at its widget.
type site struct {
	*company
	account, path, customer, token string
}

func (w *world) site(c *company) *site {
	w.t.Helper()
	var account struct {
		ID, ExternalID string
	}
	w.do("POST", c.path+"/channel-accounts", c.admin, m{"channel": "webchat", "name": "Shop"}).into(201, &account)
	s := &site{company: c, account: account.ID, path: "/webchat/" + account.ID}
	var session struct{ Customer, Token string }
	w.do("POST", s.path+"/sessions", "", nil).into(201, &session)
	s.customer, s.token = session.Customer, session.Token
	return s
}

// drain applies what is in the inbox, as the relay does.
func (s *site) drain() {
	s.w.t.Helper()
	_, err := s.w.store.DrainInbox(s.w.t.Context(), 50, func(items []omniflow.InboxItem) (in omniflow.Intake) {
		for _, item := range items {
			events, err := webchat.New().Parse(item.Body)
			require.NoError(s.w.t, err)
			for _, e := range events {
				if e.Kind == channel.EventWatermark {
					in.Clues = append(in.Clues, omniflow.Clue{Watermark: true, Recipient: e.Recipient,
						Status: omniflow.Status{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, State: e.State, At: e.At, Raw: e.Raw}})
					continue
				}
				in.Messages = append(in.Messages, omniflow.CustomerMessage{TeamID: item.TeamID, Channel: item.Channel, ChannelAccountID: item.ChannelAccountID,
					Sender: e.Recipient, ProviderID: e.ProviderID, Kind: e.MessageType, Received: e.Received, Media: e.Media, Text: e.Text, At: e.At, Raw: e.Raw})
			}
		}
		return in
	})
	require.NoError(s.w.t, err)
}

// answers puts a message of the team into the ledger, sent.
func (s *site) answers(contents ...omniflow.Content) uuid.UUID {
	s.w.t.Helper()
	id, content := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	body, err := json.Marshal(contents)
	require.NoError(s.w.t, err)
	s.w.exec(`INSERT INTO contents (id, team_id, body) VALUES ($1, $2, $3)`, content, s.id, body)
	s.w.exec(`INSERT INTO messages (id, team_id, channel_account_id, conversation_id, content_id, seq, state, recipient, attempted_at, sent_at)
		SELECT $1, c.team_id, c.channel_account_id, c.id, $2, 0, 'sent', $3, clock_timestamp(), clock_timestamp() FROM conversations c
		WHERE c.channel_account_id = $4`, id, content, s.customer, s.account)
	s.w.exec(`INSERT INTO conversation_messages (message_id, team_id, conversation_id, origin) SELECT id, team_id, conversation_id, 'agent' FROM messages WHERE id = $1`, id)
	return id
}

type widgetPageBody struct {
	Items []widgetItem
	Next  string
}

func (s *site) reads(after string) widgetPageBody {
	s.w.t.Helper()
	var page widgetPageBody
	s.w.do("GET", s.path+"/messages?after="+after, s.token, nil).into(200, &page)
	return page
}

func (s *site) rows(sql string, args ...any) (n int) {
	s.w.t.Helper()
	require.NoError(s.w.t, s.w.pool.QueryRow(s.w.t.Context(), sql, args...).Scan(&n))
	return n
}

func TestEX067MessagesBecomeReadWhenTheWidgetIsOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.site(w.company("standard"))
	w.do("POST", s.path+"/messages", s.token, m{"id": "1", "text": "hello"}).into(202, &struct{}{})
	s.drain()
	first := s.answers(omniflow.Content{Kind: omniflow.Text, Text: "welcome"})
	page := s.reads("")
	require.Len(t, page.Items, 1)
	require.Equal(t, "welcome", page.Items[0].Text)
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM messages WHERE state = 'sent'`), "fetched is not read")
	w.do("POST", s.path+"/opened", s.token, nil).into(202, &struct{}{})
	s.drain()
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM messages WHERE state = 'read' AND id = $1`, first))

	second := s.answers(omniflow.Content{Kind: omniflow.Text, Text: "still there?"})
	page = s.reads(page.Next)
	require.Len(t, page.Items, 1)
	require.Equal(t, second, page.Items[0].ID)
	require.Equal(t, page.Next, s.reads(page.Next).Next, "nothing new: the same place")
	third := s.answers(omniflow.Content{Kind: omniflow.Text, Text: "by a worker whose clock lags"})
	s.w.exec(`UPDATE messages SET sent_at = sent_at - interval '1 hour' WHERE id = $1`, third)
	require.Equal(t, third, s.reads(page.Next).Items[0].ID, "nothing appears before what was listed")
	require.Len(t, s.reads("").Items, 3)
	require.Equal(t, 2, s.rows(`SELECT count(*) FROM messages WHERE state = 'sent'`))
}

func TestWidgetMessagesAreStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.site(w.company("standard"))
	for range 3 {
		w.do("POST", s.path+"/messages", s.token, m{"id": "a-1", "text": "hello 🙏"}).into(202, &struct{}{})
	}
	w.do("POST", s.path+"/ask-human", s.token, m{"id": "a-2"}).into(202, &struct{}{})
	s.drain()
	require.Equal(t, 2, s.rows(`SELECT count(*) FROM inbound_messages`))
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM inbound_messages WHERE kind = 'text' AND body ->> 'text' = 'hello 🙏' AND provider_id = $1`, s.customer+":a-1"))
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM conversations WHERE channel = 'webchat' AND state = 'pending_human'`), "CNV-11")
	var page listBody[conversationMessageBody]
	id := w.ids(`SELECT id FROM conversations WHERE channel_account_id = $1`, s.account)[0].String()
	w.do("GET", "/v1/conversations/"+id+"/messages", s.admin, nil).into(200, &page)
	require.Equal(t, []string{"ask_human", "asks for a person"}, []string{page.Items[0].Kind, page.Items[0].Text}, "a row without words says nothing")
	require.Equal(t, "hello 🙏", page.Items[1].Text)
	require.NotContains(t, w.log.String(), "hello")
	require.NotContains(t, w.log.String(), s.token)
}

// form is a widget's form with a picture.
func form(t *testing.T, id, name string, data []byte) (body []byte, contentType string) {
	t.Helper()
	var out bytes.Buffer
	f := multipart.NewWriter(&out)
	require.NoError(t, f.WriteField("id", id))
	part, err := f.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(data)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return out.Bytes(), f.FormDataContentType()
}

func TestWidgetPictures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("standard", "cs_agent")
	s := w.site(c)
	post := func(id, name string, data []byte) reply {
		body, contentType := form(t, id, name, data)
		return w.do("POST", s.path+"/messages", s.token, body, "Content-Type", contentType)
	}
	for range 2 {
		post("p1", "新品.png", picture(64)).into(202, &struct{}{})
	}
	s.drain()
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM inbound_media WHERE state = 'stored' AND media_id IS NOT NULL`))
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM media WHERE member_id IS NULL`))
	var id uuid.UUID
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT media_id FROM inbound_media`).Scan(&id))
	require.Equal(t, picture(64), w.do("GET", "/v1/media/"+id.String(), c.token["cs_agent"], nil).Body)

	post("p2", "a.pdf", []byte(pdfStart)).problem(422, "media_kind_unsupported")
	post("p3", "a.gif", []byte("GIF89a\x01\x00\x01\x00")).problem(422, "media_type_unsupported")
	post("p4", "a.png", padded(string(picture(8)), 10*omniflow.MB+1)).problem(422, "media_too_large")
	post("p5", "a.png", padded(string(picture(8)), 11*omniflow.MB)).problem(422, "media_too_large")
	post("p 6", "a.png", picture(8)).problem(422, "input_invalid")
	w.do("POST", s.path+"/messages", s.token, "x", "Content-Type", "multipart/form-data; boundary=b").problem(422, "input_invalid")
	s.drain()
	require.Equal(t, 1, s.rows(`SELECT count(*) FROM inbound_messages`), "EX-075")

	image := s.answers(omniflow.Content{Kind: omniflow.Image, MediaID: id, Media: &omniflow.Media{ID: id}})
	items := s.reads("").Items
	require.Equal(t, image, items[0].ID)
	require.Equal(t, picture(64), w.do("GET", strings.TrimPrefix(items[0].Link, "https://api.example.com"), "", nil).Body)
}

func TestWidgetCallsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("standard")
	s, other := w.site(c), w.site(w.company("standard"))
	hello := m{"id": "1", "text": "hello"}
	for token, code := range map[string]string{"": "unauthenticated", "x": "unauthenticated", other.token: "unauthenticated",
		s.token[:len(s.token)-2]: "unauthenticated", "wc-another" + s.token[strings.Index(s.token, "~"):]: "unauthenticated"} {
		w.do("POST", s.path+"/messages", token, hello).problem(401, code)
		w.do("GET", s.path+"/messages", token, nil).problem(401, code)
	}
	for body, code := range map[string]string{
		`{"id":"1","text":" "}`: "message_empty", `{"id":"","text":"x"}`: "input_invalid", `{"id":"a b","text":"x"}`: "input_invalid",
		`{"id":"1","text":"a\u0000"}`: "input_invalid", `{`: "input_invalid", `{"id":"1","text":"` + strings.Repeat("長", 5001) + `"}`: "message_too_long",
	} {
		w.do("POST", s.path+"/messages", s.token, body).problem(422, code)
	}
	w.do("POST", s.path+"/messages", s.token, `{"id":"1","text":"`+strings.Repeat("x", 10<<20)+`"}`).problem(413, "body_too_large")
	w.do("GET", s.path+"/messages?after=x", s.token, nil).problem(422, "input_invalid")
	line := c.account("line", "U0123456789abcdef0123456789abcdef", nil)
	for _, path := range []string{"/webchat/" + uuid.NewString(), "/webchat/x", "/webchat/" + line} {
		w.do("POST", path+"/sessions", "", nil).problem(404, "not_found")
	}
	w.do("POST", "/webhooks/webchat/"+s.account, "", "{}").problem(404, "not_found")
	w.do("POST", c.path+"/channel-accounts", c.admin, m{"channel": "line", "name": "x", "external_id": "U1"}).problem(422, "input_invalid")
	w.do("POST", c.path+"/channel-accounts", c.admin, m{"channel": "line", "name": "x", "secrets": m{"token": "t", "app_secret": "s"}}).problem(422, "input_invalid")
	require.Zero(t, s.rows(`SELECT count(*) FROM inbox`))
}

func TestWidgetsOfAllowedSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("standard")
	s := w.site(c)
	const shop = "https://shop.example"
	w.do("POST", s.path+"/sessions", "", nil, "Origin", shop).problem(403, "origin_forbidden")
	settings := c.path + "/channel-accounts/" + s.account + "/allowed-origins"
	w.do("PUT", settings, c.admin, m{"origins": []string{shop}}).into(200, &struct{}{})
	for _, bad := range []string{"shop.example", "https://shop.example/", "*", "ftp://shop.example", "null"} {
		w.do("PUT", settings, c.admin, m{"origins": []string{bad}}).problem(422, "input_invalid")
	}
	w.do("PUT", c.path+"/channel-accounts/"+s.account+"/menu-texts", c.admin, m{"texts": []string{"x"}}).problem(404, "not_found")
	for _, call := range []struct{ method, path string }{{"OPTIONS", "/messages"}, {"POST", "/sessions"}, {"POST", "/opened"}, {"GET", "/messages"}} {
		got := w.do(call.method, s.path+call.path, s.token, nil, "Origin", shop)
		require.Less(t, got.Status, 300, call.path)
		require.Equal(t, shop, got.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Origin", got.Header.Get("Vary"))
		forbidden := w.do(call.method, s.path+call.path, s.token, nil, "Origin", "https://evil.example")
		forbidden.problem(403, "origin_forbidden")
		require.Empty(t, forbidden.Header.Get("Access-Control-Allow-Origin"))
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	th, now := newThrottle(), time.Unix(1_770_000_000, 0)
	for range 3 {
		require.True(t, th.allow("a", 1, 3, now))
	}
	require.False(t, th.allow("a", 1, 3, now))
	require.True(t, th.allow("b", 1, 3, now), "each name by itself")
	require.False(t, th.allow("a", 1, 3, now.Add(900*time.Millisecond)))
	require.True(t, th.allow("a", 1, 3, now.Add(2*time.Second)))
	for i := range maxBuckets + 10 {
		th.allow(uuid.NewString(), 1, 3, now.Add(time.Duration(i)*time.Millisecond))
	}
	require.LessOrEqual(t, len(th.kept), maxBuckets)
}

func TestACustomerWhoHammersIsToldToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := time.Now()
	w.s.now = func() time.Time { return at }
	s := w.site(w.company("standard"))
	for range customerBurst {
		w.do("GET", s.path+"/messages", s.token, nil).into(200, &struct{}{})
	}
	got := w.do("GET", s.path+"/messages", s.token, nil)
	got.problem(http.StatusTooManyRequests, "too_many_requests")
	require.Equal(t, "1", got.Header.Get("Retry-After"))
}
