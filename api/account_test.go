package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"

	"github.com/google/uuid"
)

func TestAccountsShowLimitsAndNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	got := w.do("GET", c.path+"/channel-accounts?limit=2", c.admin, nil)
	var list listBody[accountBody]
	got.into(200, &list)
	require.Len(t, list.Items, 2)
	require.NotContains(t, string(got.Body), "t-L")
	require.NotContains(t, string(got.Body), "s-L")
	line := list.Items[0]
	require.Equal(t, accounts["line"], line.ID.String())
	require.Equal(t, "/webhooks/line/"+accounts["line"], line.WebhookPath)
	require.Equal(t, "active", line.State)
	require.Len(t, line.Limiters, 2)
	require.Equal(t, []any{"messages", 2000.0, 2000.0}, []any{line.Limiters[0].Name, line.Limiters[0].LimitPerSecond, line.Limiters[0].RateNow})
	require.Equal(t, []any{"multicast", 200.0}, []any{line.Limiters[1].Name, line.Limiters[1].LimitPerSecond})
	w.do("GET", c.path+"/channel-accounts?limit=2&after="+list.Next, w.platform, nil).into(200, &list)
	require.Len(t, list.Items, 2)

	// At rest the secrets are sealed, and only under the account's own id.
	var sealed []byte
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT secrets FROM channel_accounts WHERE id = $1`, accounts["line"]).Scan(&sealed))
	require.NotContains(t, string(sealed), "t-L")
	plain, err := w.s.keys.Open(sealed, keyring.AccountSecrets(uuid.MustParse(accounts["line"])))
	require.NoError(t, err)
	var secrets channel.Secrets
	require.NoError(t, json.Unmarshal(plain, &secrets))
	require.Equal(t, "t-L"+c.id[24:], secrets.Token)
	_, err = w.s.keys.Open(sealed, keyring.AccountSecrets(uuid.MustParse(accounts["facebook"])))
	require.ErrorIs(t, err, keyring.ErrOpen)
}

func TestOperatorsResumeAndSlowAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	id := accounts["whatsapp"]
	stopped, err := w.store.StopAccount(t.Context(), uuid.MustParse(c.id), uuid.MustParse(id), "131031")
	require.NoError(t, err)
	require.True(t, stopped)

	var account accountBody
	w.do("POST", c.path+"/channel-accounts/"+id+":resume", c.admin, m{"reason": "Meta has unlocked it"}).into(200, &account)
	require.Equal(t, "active", account.State)
	require.Empty(t, account.StopCode)
	w.do("PUT", c.path+"/channel-accounts/"+id+"/rate", w.platform, m{"rate_per_second": 20, "reason": "new number"}).into(200, &account)
	require.InDelta(t, 20, account.Limiters[0].LimitPerSecond, 0.001)
	require.InDelta(t, 20, account.Limiters[0].RateNow, 0.001)

	rows, err := w.pool.Query(t.Context(), `SELECT action, COALESCE(actor_id::text, ''), COALESCE(detail->>'reason', '') FROM audit_log WHERE object = $1 ORDER BY id`, id)
	require.NoError(t, err)
	var log [][3]string
	for rows.Next() {
		var entry [3]string
		require.NoError(t, rows.Scan(&entry[0], &entry[1], &entry[2]))
		log = append(log, entry)
	}
	require.NoError(t, rows.Err())
	require.Len(t, log, 3)
	require.Equal(t, [3]string{"account.resume", c.ids["administrator"], "Meta has unlocked it"}, log[1])
	require.Equal(t, [3]string{"account.rate", "", "new number"}, log[2])
	w.do("POST", c.path+"/channel-accounts/"+id+":resume", c.admin, m{}).problem(422, "input_invalid")
}

// TestDeadLettersGoBackToTheInbox: what comes out is a body that the channel's
// own reader takes apart again into the same event.
func TestDeadLettersGoBackToTheInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, accounts := w.shop()
	for ch, event := range map[string]string{
		"line":      `{"type":"message","timestamp":1763600000000,"source":{"type":"user","userId":"U00000000000000000000000000000001"},"webhookEventId":"01H","deliveryContext":{"isRedelivery":false},"mode":"active","replyToken":"r","message":{"type":"text","id":"1","quoteToken":"q","text":"hi"}}`,
		"whatsapp":  `{"id":"wamid.1","status":"read","timestamp":"1763600000","recipient_id":"886921050328"}`,
		"facebook":  `{"sender":{"id":"10000001"},"recipient":{"id":"F` + c.id[24:] + `"},"timestamp":1763600000000,"message":{"mid":"m1","text":"hi"}}`,
		"instagram": `{"sender":{"id":"20000001"},"recipient":{"id":"I` + c.id[24:] + `"},"timestamp":1763600000000,"message":{"mid":"m2","text":"hi"}}`,
	} {
		letter := uuid.New()
		w.exec(`INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event) VALUES ($1, $2, $3, $4, 'message_unknown', $5)`,
			letter, c.id, ch, accounts[ch], event)
		var list listBody[deadLetterBody]
		w.do("GET", "/v1/dead-letters", c.token["supervisor"], nil).into(200, &list)
		require.NotEmpty(t, list.Items)
		for range 2 { // a second click changes nothing
			var body deadLetterBody
			w.do("POST", "/v1/dead-letters/"+letter.String()+":replay", c.token["supervisor"], nil).into(200, &body)
			require.NotNil(t, body.ReplayedAt)
		}
		var stored []byte
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT body FROM inbox WHERE channel_account_id = $1`, accounts[ch]).Scan(&stored))
		events, err := w.s.webhooks[omniflow.Channel(ch)].Parse(stored)
		require.NoError(t, err, "%s", stored)
		require.Len(t, events, 1)
		require.NotEqual(t, channel.EventOther, events[0].Kind, "%s", stored)
		require.JSONEq(t, event, string(events[0].Raw))
	}
	whole := `{"object":"page","entry":[]}`
	got, err := envelopeOf(postgres.DeadLetter{Channel: omniflow.Facebook, Event: json.RawMessage(whole)}, postgres.Account{})
	require.NoError(t, err)
	require.Equal(t, whole, string(got), "a whole body goes as it is")
}
