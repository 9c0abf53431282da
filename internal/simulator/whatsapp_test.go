package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

func TestWhatsAppAcceptsAText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.whatsapp("+886 900-000-001", "hello", "m1.1")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "whatsapp", a.body["messaging_product"])
	require.Equal(t, "+886 900-000-001", at(t, a.body, "contacts", 0, "input"))
	require.Equal(t, "886900000001", at(t, a.body, "contacts", 0, "wa_id"))
	id := at(t, a.body, "messages", 0, "id").(string)
	require.True(t, strings.HasPrefix(id, "wamid."))
	require.Equal(t, []simulator.Delivery{{
		Channel: simulator.WhatsApp, ExternalID: phoneID, Recipient: "886900000001", Key: "m1.1", ProviderID: id,
		ContentSHA256: simulator.TextSHA256("hello"), At: w.clock.Now().UTC(), Response: "ok", Delivered: true,
	}}, w.truth(simulator.WhatsApp))
}

func TestWhatsAppRefusesBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	body := func(to, rest string) string {
		return `{"messaging_product":"whatsapp","to":"` + to + `",` + rest + `}`
	}
	text := `"type":"text","text":{"body":"x"}`
	cases := map[string]struct {
		path, token, body string
		status, code      int
	}{
		"bad version":         {"/whatsapp/25/" + phoneID + "/messages", "wa", body("886900000001", text), 400, 2500},
		"bad token":           {"", "nobody", body("886900000001", text), 401, 190},
		"token of a page":     {"", "fb", body("886900000001", text), 401, 190},
		"unknown number":      {"/whatsapp/v25.0/999/messages", "wa", body("886900000001", text), 400, 100},
		"unknown path":        {"/whatsapp/v25.0/" + phoneID + "/media", "wa", "{}", 400, 100},
		"not JSON":            {"", "wa", "{", 400, 100},
		"no product":          {"", "wa", `{"to":"886900000001",` + text + `}`, 400, 100},
		"no recipient":        {"", "wa", body("", text), 400, 131008},
		"letters in number":   {"", "wa", body("88690000000x", text), 400, 131009},
		"own number":          {"", "wa", body("+15550783881", text), 400, 131021},
		"recipient type":      {"", "wa", body("886900000001", `"recipient_type":"many",`+text), 400, 100},
		"group":               {"", "wa", body("886900000001", `"recipient_type":"group",`+text), 400, 131009},
		"no text":             {"", "wa", body("886900000001", `"type":"text"`), 400, 131008},
		"long text":           {"", "wa", body("886900000001", `"text":{"body":"`+strings.Repeat("界", 4097)+`"}`), 400, 100},
		"unknown type":        {"", "wa", body("886900000001", `"type":"fax"`), 400, 100},
		"image without link":  {"", "wa", body("886900000001", `"type":"image","image":{}`), 400, 100},
		"image with both":     {"", "wa", body("886900000001", `"type":"image","image":{"id":"1","link":"https://e.x/a"}`), 400, 100},
		"caption on sticker":  {"", "wa", body("886900000001", `"type":"sticker","sticker":{"id":"1","caption":"c"}`), 400, 100},
		"long opaque":         {"", "wa", body("886900000001", text+`,"biz_opaque_callback_data":"`+strings.Repeat("o", 513)+`"`), 400, 131009},
		"template unnamed":    {"", "wa", body("886900000001", `"type":"template","template":{}`), 400, 131008},
		"template language":   {"", "wa", body("886900000001", `"type":"template","template":{"name":"hi"}`), 400, 131008},
		"read of nothing":     {"", "wa", `{"messaging_product":"whatsapp","status":"read"}`, 400, 131008},
		"read of unknown id":  {"", "wa", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.x"}`, 400, 131009},
		"status is not read":  {"", "wa", `{"messaging_product":"whatsapp","status":"played","message_id":"wamid.x"}`, 400, 100},
		"interactive is null": {"", "wa", body("886900000001", `"type":"interactive","interactive":null`), 400, 131008},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.path == "" {
				c.path = "/whatsapp/v25.0/" + phoneID + "/messages"
			}
			a, err := w.try(http.MethodPost, c.path, c.token, c.body)
			require.NoError(t, err)
			code, _ := a.graphCode()
			require.Equal(t, c.code, code, a.raw)
			require.Equal(t, c.status, a.status)
			require.NotEmpty(t, at(t, a.body, "error", "fbtrace_id"))
			require.Empty(t, w.truth(simulator.WhatsApp))
		})
	}
}

func TestWhatsAppTokenOfAnotherNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.AddAccounts(simulator.Account{Channel: simulator.WhatsApp, ExternalID: "2", Token: "other"}))
	a := w.post("/whatsapp/v25.0/2/messages", "wa", whatsappText("886900000001", "x", ""))
	code, _ := a.graphCode()
	require.Equal(t, 10, code)
	require.Equal(t, http.StatusForbidden, a.status)
}

func TestWhatsAppTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.AddTemplates(
		simulator.Template{WABAID: "waba1", Name: "order", Language: "en_US", BodyParams: 2},
		simulator.Template{ExternalID: phoneID, Name: "paused", Language: "en_US", Status: "PAUSED"},
		simulator.Template{ExternalID: phoneID, Name: "disabled", Language: "en_US", Status: "DISABLED"},
	))
	cases := map[string]struct {
		name, language string
		params, code   int
		status         int
	}{
		"right":          {"order", "en_US", 2, 0, 200},
		"too few":        {"order", "en_US", 1, 132000, 400},
		"other language": {"order", "zh_TW", 2, 132001, 404},
		"unknown":        {"nothing", "en_US", 0, 132001, 404},
		"paused":         {"paused", "en_US", 0, 132015, 400},
		"disabled":       {"disabled", "en_US", 0, 132016, 400},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params := strings.TrimSuffix(strings.Repeat(`{"type":"text","text":"p"},`, c.params), ",")
			a, err := w.try(http.MethodPost, "/whatsapp/v25.0/"+phoneID+"/messages", "wa",
				`{"messaging_product":"whatsapp","to":"886900000001","type":"template","template":{"name":"`+c.name+
					`","language":{"code":"`+c.language+`"},"components":[{"type":"body","parameters":[`+params+`]}]}}`)
			require.NoError(t, err)
			code, _ := a.graphCode()
			require.Equal(t, c.code, code, a.raw)
			require.Equal(t, c.status, a.status)
			if c.code == 0 {
				require.Equal(t, "accepted", at(t, a.body, "messages", 0, "message_status"))
			}
		})
	}
}

func TestWhatsAppWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ago         time.Duration
		sync        bool
		status      int
		code, later int
	}{
		"open to the second": {24 * time.Hour, true, 200, 0, 0},
		"closed, refused":    {24*time.Hour + time.Second, true, 400, 131047, 0},
		"closed, fails":      {24*time.Hour + time.Second, false, 200, 0, 131047},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *simulator.Account) { a.WindowSync = c.sync })
			wrote := w.clock.Now().Add(-c.ago)
			require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: simulator.WhatsApp, ExternalID: phoneID,
				Users: []simulator.User{{ID: "+886900000001", LastInboundAt: &wrote}}}))
			a := w.whatsapp("886900000001", "x", "k")
			code, _ := a.graphCode()
			require.Equal(t, c.status, a.status, a.raw)
			require.Equal(t, c.code, code)
			if c.later != 0 {
				require.Equal(t, c.later, w.truth(simulator.WhatsApp)[0].FailureCode)
				require.Equal(t, 1, w.summary(simulator.WhatsApp).FailedLater)
				status := at(t, w.hook().decode(t), "entry", 0, "changes", 0, "value", "statuses", 0)
				require.Equal(t, "failed", at(t, status, "status"))
				require.InDelta(t, c.later, at(t, status, "errors", 0, "code"), 0)
				require.Equal(t, "k", at(t, status, "biz_opaque_callback_data"))
			}
		})
	}
}

func TestWhatsAppPairLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.RatePerSecond = 1000 })
	send := func(to string) int {
		code, _ := w.whatsapp(to, "x", "").graphCode()
		return code
	}
	for range 45 {
		require.Zero(t, send("886900000001"))
	}
	require.Equal(t, 131056, send("886900000001"), "the 46th inside 6 s")
	require.Zero(t, send("886900000002"), "other users are not affected")
	w.clock.Advance(45*6*time.Second - time.Millisecond)
	require.Equal(t, 131056, send("886900000001"))
	w.clock.Advance(time.Millisecond)
	require.Zero(t, send("886900000001"))
	w.clock.Advance(6 * time.Second)
	require.Zero(t, send("886900000001"), "one message needs no more than 6 s")
	m := w.summary(simulator.WhatsApp)
	require.Equal(t, 2, m.PairLimited)
	require.Equal(t, 48, m.Accepted)
}

func TestWhatsAppPairLimitCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.RatePerSecond, a.PairLimit = 1000, new(bool) })
	for range 60 {
		require.Equal(t, http.StatusOK, w.whatsapp("886900000001", "x", "").status)
	}
	require.Equal(t, 59, w.summary(simulator.WhatsApp).Duplicates)
}

func TestWhatsAppRecipientsThatFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state     simulator.UserState
		failure   int
		delivered bool
		dropped   int
	}{
		{simulator.UserOK, 0, true, 0},
		{simulator.UserUnknown, 131026, false, 0},
		{simulator.UserNotWhatsApp, 131026, false, 0},
		{simulator.UserBlocked, 0, false, 1},
		{simulator.UserUnavailable, 0, true, 0},
		{simulator.UserOptedOut, 0, true, 0},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: simulator.WhatsApp, ExternalID: phoneID,
				Users: []simulator.User{{ID: "886900000001", State: c.state}}}))
			require.Equal(t, http.StatusOK, w.whatsapp("886900000001", "x", "").status)
			d := w.truth(simulator.WhatsApp)[0]
			require.Equal(t, c.failure, d.FailureCode)
			require.Equal(t, c.delivered, d.Delivered)
			require.Equal(t, c.dropped, w.summary(simulator.WhatsApp).SilentlyDropped)
		})
	}
}

func TestWhatsAppStrictUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.StrictUsers = true })
	require.Equal(t, http.StatusOK, w.whatsapp("886900000001", "x", "").status)
	require.Equal(t, 131026, w.truth(simulator.WhatsApp)[0].FailureCode)
}

func TestWhatsAppReadReceiptOfAnInboundMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.WhatsApp, ExternalID: phoneID, User: "886900000001", Text: "hi"})
	require.NoError(t, err)
	a := w.post("/whatsapp/v25.0/"+phoneID+"/messages", "wa", `{"messaging_product":"whatsapp","status":"read","message_id":"`+id+`"}`)
	require.Equal(t, map[string]any{"success": true}, a.body)
	require.Zero(t, w.summary(simulator.WhatsApp).Requests)
}

// A template's header must be what its definition has there, and name a file
// that was uploaded.
func TestWhatsAppTemplateHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.AddTemplates(simulator.Template{ExternalID: phoneID, Name: "pictured", Language: "en_US", Header: "image"},
		simulator.Template{ExternalID: phoneID, Name: "plain", Language: "en_US"}))
	require.Error(t, w.sim.AddTemplates(simulator.Template{ExternalID: phoneID, Name: "x", Language: "en_US", Header: "audio"}))
	for name, c := range map[string]struct {
		template, header string
		code             int
	}{
		"a link":          {"pictured", `[{"type":"image","image":{"link":"https://a.example/b.png"}}]`, 0},
		"none":            {"pictured", ``, 132012},
		"a video":         {"pictured", `[{"type":"video","video":{"link":"https://a.example/b.mp4"}}]`, 132012},
		"two":             {"pictured", `[{"type":"image","image":{"id":"1"}},{"type":"image","image":{"id":"1"}}]`, 132012},
		"nobody's upload": {"pictured", `[{"type":"image","image":{"id":"1"}}]`, 100},
		"no file":         {"pictured", `[{"type":"image","image":{}}]`, 100},
		"one too many":    {"plain", `[{"type":"image","image":{"link":"https://a.example/b.png"}}]`, 132012},
		"a plain one":     {"plain", ``, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			components := "[]"
			if c.header != "" {
				components = `[{"type":"header","parameters":` + c.header + `}]`
			}
			a, err := w.try(http.MethodPost, "/whatsapp/v25.0/"+phoneID+"/messages", "wa",
				`{"messaging_product":"whatsapp","to":"886900000001","type":"template","template":{"name":"`+c.template+
					`","language":{"code":"en_US"},"components":`+components+`}}`)
			require.NoError(t, err)
			code, _ := a.graphCode()
			require.Equal(t, c.code, code, a.raw)
		})
	}
}
