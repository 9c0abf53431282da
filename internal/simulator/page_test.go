package simulator_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestPagesAcceptATextAndDoNotDeduplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ids := map[any]bool{}
	for range 2 {
		for _, a := range []answer{w.messenger("1", "hello", "m1"), w.instagram("1", "hello")} {
			require.Equal(t, http.StatusOK, a.status, a.raw)
			require.Equal(t, "1", a.body["recipient_id"])
			ids[a.body["message_id"]] = true
		}
	}
	require.Len(t, ids, 4)
	for c, key := range map[simulator.Channel]string{simulator.Facebook: "m1", simulator.Instagram: ""} {
		d := w.truth(c)
		require.Len(t, d, 2)
		require.Equal(t, key, d[0].Key)
		require.True(t, ids[d[0].ProviderID])
		require.Equal(t, simulator.TextSHA256("hello"), d[0].ContentSHA256)
		m := w.summary(c)
		require.Equal(t, 1, m.Duplicates)
		require.Equal(t, 1, m.Recipients)
		require.Len(t, m.DuplicateExamples, 1)
		require.Equal(t, d[1], m.DuplicateExamples[0])
	}
}

func TestMessengerTakesForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	form := url.Values{"recipient": {`{"id":"7"}`}, "message": {`{"text":"hi"}`}, "messaging_type": {"UPDATE"}}
	a := w.post("/messenger/v25.0/me/messages?access_token=fb", "fb", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "7", w.truth(simulator.Facebook)[0].Recipient)
}

func TestPagesRefuseBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true; a.HumanAgent = new(bool) })
	message := func(rest string) string { return `{"recipient":{"id":"1"},` + rest + `}` }
	text := `"message":{"text":"x"}`
	pictures := func(n int) string {
		return `"message":{"attachments":[` + strings.TrimSuffix(strings.Repeat(`{"type":"image","payload":{"url":"https://e.x/a"}},`, n), ",") + `]}`
	}
	cases := map[string]struct {
		channel       simulator.Channel
		path, body    string
		status        int
		code, subcode int
	}{
		"version":              {simulator.Facebook, "/messenger/latest/me/messages", message(text), 400, 2500, 0},
		"unknown page":         {simulator.Facebook, "/messenger/v25.0/1/messages", message(text), 400, 100, 33},
		"instagram as page":    {simulator.Facebook, "/messenger/v25.0/" + igID + "/messages", message(text), 400, 100, 33},
		"not JSON":             {simulator.Facebook, "", "{", 400, 100, 0},
		"no recipient":         {simulator.Facebook, "", `{"message":{"text":"x"}}`, 400, 100, 0},
		"two recipients":       {simulator.Facebook, "", `{"recipient":{"id":"1","user_ref":"2"},"message":{"text":"x"}}`, 400, 100, 0},
		"malformed person":     {simulator.Facebook, "", `{"recipient":{"id":"a b"},"message":{"text":"x"}}`, 400, 100, 2018001},
		"malformed on IG":      {simulator.Instagram, "", `{"recipient":{"id":"a b"},"message":{"text":"x"}}`, 400, 100, 2534014},
		"no message":           {simulator.Facebook, "", message(`"messaging_type":"UPDATE"`), 400, 100, 0},
		"empty message":        {simulator.Facebook, "", message(`"message":{}`), 400, 100, 0},
		"text and attachment":  {simulator.Facebook, "", message(`"message":{"text":"x","attachment":{"type":"image"}}`), 400, 100, 0},
		"long text":            {simulator.Facebook, "", message(`"message":{"text":"` + strings.Repeat("x", 2001) + `"}`), 400, 100, 0},
		"long metadata":        {simulator.Facebook, "", message(`"message":{"text":"x","metadata":"` + strings.Repeat("x", 1000) + `"}`), 400, 100, 0},
		"quick replies":        {simulator.Facebook, "", message(`"message":{"text":"x","quick_replies":[` + strings.Repeat("{},", 13) + `{}]}`), 400, 100, 0},
		"31 pictures":          {simulator.Facebook, "", message(pictures(31)), 400, 100, 0},
		"11 pictures on IG":    {simulator.Instagram, "", message(pictures(11)), 400, 100, 0},
		"1001 bytes on IG":     {simulator.Instagram, "", message(`"message":{"text":"` + strings.Repeat("界", 334) + `"}`), 400, 100, 2534015},
		"unknown type":         {simulator.Facebook, "", message(`"messaging_type":"SPAM",` + text), 400, 100, 0},
		"dead tag":             {simulator.Facebook, "", message(`"messaging_type":"MESSAGE_TAG","tag":"ACCOUNT_UPDATE",` + text), 400, 100, 0},
		"type without tag":     {simulator.Facebook, "", message(`"messaging_type":"MESSAGE_TAG",` + text), 400, 100, 0},
		"agent not granted":    {simulator.Facebook, "", message(`"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT",` + text), 403, 10, 0},
		"utility on IG":        {simulator.Instagram, "", message(`"messaging_type":"UTILITY",` + text), 400, 100, 0},
		"utility template":     {simulator.Facebook, "", message(`"messaging_type":"UTILITY","message":{"template":{"name":"n","language":{"code":"en"}}}`), 400, 100, 0},
		"template, no utility": {simulator.Facebook, "", message(`"message":{"template":{"name":"n"}}`), 400, 100, 0},
		"action and message":   {simulator.Facebook, "", message(`"sender_action":"typing_on",` + text), 400, 100, 0},
		"unknown action":       {simulator.Facebook, "", message(`"sender_action":"dance"`), 400, 100, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, token := "/messenger/v25.0/me/messages", "fb"
			if c.channel == simulator.Instagram {
				path, token = "/instagram/v25.0/me/messages", "ig"
			}
			if c.path != "" {
				path = c.path
			}
			a, err := w.try(http.MethodPost, path, token, c.body)
			require.NoError(t, err)
			code, subcode := a.graphCode()
			require.Equal(t, [2]int{c.code, c.subcode}, [2]int{code, subcode}, a.raw)
			require.Equal(t, c.status, a.status)
			require.Empty(t, w.truth(c.channel))
		})
	}
}

func TestPagesWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		channel       simulator.Channel
		ago           time.Duration
		tag           string
		code, subcode int
	}{
		"24 h":            {simulator.Facebook, 24 * time.Hour, "", 0, 0},
		"over 24 h":       {simulator.Facebook, 24*time.Hour + time.Second, "", 10, 2018278},
		"over 24 h on IG": {simulator.Instagram, 24*time.Hour + time.Second, "", 10, 2534022},
		"agent, 7 d":      {simulator.Facebook, 7 * 24 * time.Hour, "HUMAN_AGENT", 0, 0},
		"agent, over 7 d": {simulator.Instagram, 7*24*time.Hour + time.Second, "HUMAN_AGENT", 10, 2534022},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			wrote := w.clock.Now().Add(-c.ago)
			require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: c.channel, ExternalID: external(c.channel),
				Users: []simulator.User{{ID: "1", LastInboundAt: &wrote}}}))
			send := func() answer {
				path, token := "/messenger/v25.0/me/messages", "fb"
				if c.channel == simulator.Instagram {
					path, token = "/instagram/v25.0/me/messages", "ig"
				}
				kind := "RESPONSE"
				if c.tag != "" {
					kind = "MESSAGE_TAG"
				}
				return w.post(path, token, `{"recipient":{"id":"1"},"messaging_type":"`+kind+`","tag":"`+c.tag+`","message":{"text":"x"}}`)
			}
			code, subcode := send().graphCode()
			require.Equal(t, [2]int{c.code, c.subcode}, [2]int{code, subcode})
			_, err := w.sim.Inbound(simulator.InboundMessage{Channel: c.channel, ExternalID: external(c.channel), User: "1", Text: "hi"})
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, send().status, "an inbound message opens the window")
		})
	}
}

func TestPagesPeopleWhoCannotBeReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct {
		channel       simulator.Channel
		state         simulator.UserState
		code, subcode int
	}{
		{simulator.Facebook, simulator.UserBlocked, 551, 1545041},
		{simulator.Facebook, simulator.UserUnknown, 100, 2018001},
		{simulator.Facebook, simulator.UserUnavailable, 10, 2018108},
		{simulator.Facebook, simulator.UserOptedOut, 10, 1893015},
		{simulator.Instagram, simulator.UserBlocked, 551, 0},
		{simulator.Instagram, simulator.UserUnknown, 100, 2534014},
	} {
		t.Run(string(c.channel)+" "+string(c.state), func(t *testing.T) {
			t.Parallel()
			id := "p" + string(c.state)
			require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: c.channel, ExternalID: external(c.channel),
				Users: []simulator.User{{ID: id, State: c.state}}}))
			a := w.messenger
			if c.channel == simulator.Instagram {
				a = func(to, text, _ string) answer { return w.instagram(to, text) }
			}
			code, subcode := a(id, "x", "").graphCode()
			require.Equal(t, [2]int{c.code, c.subcode}, [2]int{code, subcode})
			require.Empty(t, w.truth(c.channel))
		})
	}
}

func TestMessengerUtilityTemplateNeedsNoWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	long := w.clock.Now().Add(-time.Hour * 24 * 365)
	require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: simulator.Facebook, ExternalID: pageID, Users: []simulator.User{{ID: "1", LastInboundAt: &long}}}))
	require.NoError(t, w.sim.AddTemplates(simulator.Template{ExternalID: pageID, Name: "shipped", Language: "en", BodyParams: 1}))
	send := func(params string) answer {
		return w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"messaging_type":"UTILITY","message":{"template":{"name":"shipped","language":{"code":"en"},"components":[{"type":"body","parameters":[`+params+`]}]}}}`)
	}
	require.Equal(t, http.StatusOK, send(`{"type":"text","text":"A-1"}`).status)
	code, _ := send("").graphCode()
	require.Equal(t, 100, code)
}

func TestInstagramErrorTypeTellsTheVariant(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{"": "IGApiException", "55": "OAuthException"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *simulator.Account) {
				if a.Channel == simulator.Instagram {
					a.PageID = page
				}
			})
			id := igID
			if page != "" {
				id = page // the linked page's id is a second name
			}
			a := w.post("/instagram/v25.0/"+id+"/messages", "ig", "{")
			require.Equal(t, want, at(t, a.body, "error", "type"), a.raw)
		})
	}
}

func TestSenderActionDeliversNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.post("/messenger/v25.0/me/messages", "fb", `{"recipient":{"id":"1"},"sender_action":"typing_on"}`)
	require.Equal(t, map[string]any{"recipient_id": "1"}, a.body)
	require.Empty(t, w.truth(simulator.Facebook))
}
