package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/simulator"
)

const anyKey = "123e4567-e89b-12d3-a456-426614174000"

func TestLINEPushAnswersWithIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.post("/line/v2/bot/message/push", "line", `{"to":"`+users[0]+`","messages":[
		{"type":"text","text":"a"},{"type":"audio","originalContentUrl":"https://e.x/a.m4a","duration":1}]}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Regexp(t, `^[0-9]{18}$`, at(t, a.body, "sentMessages", 0, "id"))
	require.NotEmpty(t, at(t, a.body, "sentMessages", 0, "quoteToken"))
	require.Nil(t, at(t, a.body, "sentMessages", 1, "quoteToken"), "audio cannot be quoted")
	_, err := uuid.Parse(a.header.Get("x-line-request-id"))
	require.NoError(t, err)
	require.Len(t, w.truth(simulator.LINE), 1, "two objects are one message")
}

func TestLINERetryKeyIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.push(users[0], "hello", anyKey)
	require.Equal(t, http.StatusOK, first.status, first.raw)
	second := w.push(users[0], "hello", anyKey)
	require.Equal(t, http.StatusConflict, second.status)
	require.Equal(t, "The retry key is already accepted", second.body["message"])
	require.Equal(t, first.header.Get("x-line-request-id"), second.header.Get("x-line-accepted-request-id"))
	require.NotEqual(t, first.header.Get("x-line-request-id"), second.header.Get("x-line-request-id"))
	require.Equal(t, first.body["sentMessages"], second.body["sentMessages"])
	require.Len(t, w.truth(simulator.LINE), 1)
	require.Equal(t, anyKey, w.truth(simulator.LINE)[0].Key)

	other := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:1], "hello"), "X-Line-Retry-Key", anyKey)
	require.Equal(t, http.StatusOK, other.status, "a key belongs to one endpoint")
	again := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:1], "hello"), "X-Line-Retry-Key", anyKey)
	require.Equal(t, http.StatusConflict, again.status)
	require.NotContains(t, again.body, "sentMessages")

	m := w.summary(simulator.LINE)
	require.Equal(t, 2, m.RepeatedKeys)
	require.Equal(t, 1, m.Duplicates, "same text, same person, two endpoints")
}

func TestLINERetryKeyIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	w.clock.Advance(24*time.Hour - time.Second)
	require.Equal(t, http.StatusConflict, w.push(users[0], "x", anyKey).status)
	w.clock.Advance(time.Second)
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusConflict, w.push(users[0], "x", anyKey).status)
}

func TestLINERetryKeyStaysUsableAfterARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.SetFaults(simulator.Faults{Channel: simulator.LINE, Next: []simulator.NextFault{
		{Recipient: users[0], Fault: simulator.Unavailable}, {Recipient: users[0], Fault: simulator.Throttle}}}))
	require.Equal(t, http.StatusInternalServerError, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusTooManyRequests, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusBadRequest, w.push(users[0], "", anyKey).status)
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	require.Equal(t, 1, w.summary(simulator.LINE).RefusedThrottle)
}

func TestLINEConcurrentCallsWithOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	statuses := make([]int, 8)
	var group sync.WaitGroup
	for i := range statuses {
		group.Go(func() {
			a, err := w.try(http.MethodPost, "/line/v2/bot/message/push", "line", linePush(users[0], "x"), "X-Line-Retry-Key", anyKey)
			if err == nil {
				statuses[i] = a.status
			}
		})
	}
	group.Wait()
	won := 0
	for _, s := range statuses {
		if s == http.StatusOK {
			won++
			continue
		}
		require.Equal(t, http.StatusConflict, s)
	}
	require.Equal(t, 1, won)
	require.Len(t, w.truth(simulator.LINE), 1)
}

func TestLINERetryKeyInTheWrongPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.Equal(t, http.StatusBadRequest, w.push(users[0], "x", "not-a-uuid").status)
	require.Equal(t, http.StatusBadRequest, w.push(users[0], "x", strings.ReplaceAll(anyKey, "-", "")).status)
	for _, path := range []string{"reply", "validate/push"} {
		a := w.post("/line/v2/bot/message/"+path, "line", `{"replyToken":"t","messages":[{"type":"text","text":"x"}]}`, "X-Line-Retry-Key", anyKey)
		require.Equal(t, http.StatusBadRequest, a.status, path)
		require.Contains(t, a.body["message"], "X-Line-Retry-Key")
	}
	require.Empty(t, w.truth(simulator.LINE))
}

func TestLINERefusesBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Unlimited = true })
	text := `[{"type":"text","text":"x"}]`
	many := make([]string, 501)
	for i := range many {
		many[i] = users[0]
	}
	cases := map[string]struct {
		path, token, body string
		status            int
		message, detail   string
	}{
		"bad token":       {"push", "nobody", `{}`, 401, "Authentication failed due to the following reason", ""},
		"unknown path":    {"broadcast", "line", `{}`, 404, "Not found", ""},
		"not JSON":        {"push", "line", "{\n x", 400, "could not be parsed as JSON (line: 2, column: 2)", ""},
		"no recipient":    {"push", "line", `{"messages":` + text + `}`, 400, "has 1 error(s)", "May not be empty"},
		"no messages":     {"push", "line", `{"to":"` + users[0] + `","messages":[]}`, 400, "has 1 error(s)", "Size must be between 1 and 5"},
		"six messages":    {"push", "line", `{"to":"` + users[0] + `","messages":[{},{},{},{},{},{}]}`, 400, "has 1 error(s)", "Size must be between 1 and 5"},
		"no text":         {"push", "line", linePush(users[0], ""), 400, "has 1 error(s)", "May not be empty"},
		"long text":       {"push", "line", linePush(users[0], strings.Repeat("😀", 2501)), 400, "has 1 error(s)", "Length must be between 0 and 5000"},
		"unknown type":    {"push", "line", `{"to":"` + users[0] + `","messages":[{"type":"file"}]}`, 400, "has 1 error(s)", "Must be one of the following values"},
		"http image":      {"push", "line", `{"to":"` + users[0] + `","messages":[{"type":"image","originalContentUrl":"http://e.x/a","previewImageUrl":"https://e.x/a"}]}`, 400, "has 1 error(s)", "invalid uri scheme"},
		"two units":       {"push", "line", `{"to":"` + users[0] + `","messages":` + text + `,"customAggregationUnits":["a","b"]}`, 400, "has 1 error(s)", "Size must be between 0 and 1"},
		"malformed user":  {"push", "line", linePush("U1", "x"), 400, "The property, to, in the request body is invalid", ""},
		"group":           {"push", "line", linePush("C"+users[0][1:], "x"), 400, "Failed to send messages", ""},
		"nobody":          {"multicast", "line", lineMulticast(nil, "x"), 400, "has 1 error(s)", "Size must be between 1 and 500"},
		"501 users":       {"multicast", "line", lineMulticast(many, "x"), 400, "has 1 error(s)", "Size must be between 1 and 500"},
		"group among":     {"multicast", "line", lineMulticast([]string{users[0], "C" + users[0][1:]}, "x"), 400, "The property, to[1], in the request body is invalid (line: -, column: -)", ""},
		"reply token":     {"reply", "line", `{"replyToken":"t","messages":` + text + `}`, 400, "Invalid reply token", ""},
		"no reply token":  {"reply", "line", `{"messages":` + text + `}`, 400, "has 1 error(s)", "May not be empty"},
		"validate kind":   {"validate/fax", "line", `{"messages":` + text + `}`, 404, "Not found", ""},
		"validate a file": {"validate/push", "line", `{"messages":[{"type":"file"}]}`, 400, "has 1 error(s)", "Must be one of"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := w.try(http.MethodPost, "/line/v2/bot/message/"+c.path, c.token, c.body)
			require.NoError(t, err)
			require.Equal(t, c.status, a.status, a.raw)
			require.Contains(t, a.body["message"], c.message)
			if c.detail != "" {
				require.Contains(t, at(t, a.body, "details", 0, "message"), c.detail)
			}
			require.NotEmpty(t, a.header.Get("x-line-request-id"))
			require.Empty(t, w.truth(simulator.LINE))
		})
	}
}

func TestLINERefusesOtherContentTypesAndLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.post("/line/v2/bot/message/push", "line", linePush(users[0], "x"), "Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, a.status)
	require.Equal(t, "The content type, text/plain, is not supported", a.body["message"])
	a = w.post("/line/v2/bot/message/push", "line", linePush(users[0], strings.Repeat("x", 2<<20)))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
}

func TestLINEPeopleWhoCannotBeReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: simulator.LINE, ExternalID: botID, Users: []simulator.User{
		{ID: users[1], State: simulator.UserBlocked}, {ID: users[2], State: simulator.UserUnknown}}}))
	a := w.push(users[1], "x", anyKey)
	require.Equal(t, http.StatusOK, a.status, "blocked is accepted")
	a = w.push(users[2], "x", uuid.NewString())
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, "Failed to send messages", a.body["message"])
	a = w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "y"))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Contains(t, a.body["message"], "to[2]")
	a = w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:2], "y"))
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "{}", a.raw)

	m := w.summary(simulator.LINE)
	require.Equal(t, 1, m.Accepted, "nobody of the refused request")
	require.Equal(t, 2, m.SilentlyDropped)
	require.Equal(t, 1, m.QuotaUsed, "blocked people are not counted")
	for _, d := range w.truth(simulator.LINE) {
		require.Equal(t, d.Recipient == users[0], d.Delivered)
	}

	profile, err := w.try(http.MethodGet, "/line/v2/bot/profile/"+users[1], "line", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, profile.status)
	profile, err = w.try(http.MethodGet, "/line/v2/bot/profile/"+users[0], "line", "")
	require.NoError(t, err)
	require.Equal(t, users[0], profile.body["userId"])
}

func TestLINEMulticastCanDropStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.MulticastDropsUnknown, a.StrictUsers = true, true })
	require.NoError(t, w.sim.AddUsers(simulator.Users{Channel: simulator.LINE, ExternalID: botID, Users: []simulator.User{{ID: users[1]}}}))
	a := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "y"))
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, 1, w.summary(simulator.LINE).Accepted)
}

func TestLINEQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Quota = 3 })
	get := func(path string) map[string]any {
		a, err := w.try(http.MethodGet, "/line/v2/bot/"+path, "line", "")
		require.NoError(t, err)
		return a.body
	}
	require.Equal(t, map[string]any{"type": "limited", "value": 3.0}, get("message/quota"))
	require.Equal(t, http.StatusOK, w.push(users[0], "x", anyKey).status)
	require.Equal(t, http.StatusConflict, w.push(users[0], "x", anyKey).status)
	a := w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:], "y"))
	require.Equal(t, http.StatusTooManyRequests, a.status, "all or nothing")
	require.Equal(t, "You have reached your monthly limit.", a.body["message"])
	require.Equal(t, map[string]any{"totalUsage": 1.0}, get("message/quota/consumption"))
	require.Equal(t, http.StatusOK, w.post("/line/v2/bot/message/multicast", "line", lineMulticast(users[:2], "y")).status)
	require.Equal(t, botID, get("info")["userId"])

	free := newWorld(t, nil)
	body, err := free.try(http.MethodGet, "/line/v2/bot/message/quota", "line", "")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"type": "none"}, body.body)
}

func TestLINEReplyTokenIsUsedOnceAndForAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *simulator.Account) { a.Quota = 1 })
	token := func() string {
		_, err := w.sim.Inbound(simulator.InboundMessage{Channel: simulator.LINE, ExternalID: botID, User: users[0], Text: "hi"})
		require.NoError(t, err)
		return at(t, w.hook().decode(t), "events", 0, "replyToken").(string)
	}
	reply := func(token string) answer {
		return w.post("/line/v2/bot/message/reply", "line", `{"replyToken":"`+token+`","messages":[{"type":"text","text":"x"}]}`)
	}
	used := token()
	require.Equal(t, http.StatusOK, reply(used).status)
	require.Equal(t, "Invalid reply token", reply(used).body["message"])
	old := token()
	w.clock.Advance(time.Minute + time.Second)
	require.Equal(t, "Invalid reply token", reply(old).body["message"])
	require.Zero(t, w.summary(simulator.LINE).QuotaUsed, "replies are free")
	require.Equal(t, users[0], w.truth(simulator.LINE)[0].Recipient)
}

func lineMulticast(to []string, text string) string {
	list := make([]string, len(to))
	for i, id := range to {
		list[i] = fmt.Sprintf("%q", id)
	}
	return `{"to":[` + strings.Join(list, ",") + `],"messages":[{"type":"text","text":"` + text + `"}]}`
}
