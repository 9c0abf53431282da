package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/config"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/postgres/migrations"
	"omniflow/internal/postgres/postgrestest"
)

// shift is an hour of a busy team: a broadcast is under way on four channels,
// and customers write.
type shift struct {
	*postgrestest.Team
	t     *testing.T
	store *postgres.Store
	pool  *pgxpool.Pool
	relay *relay
	begin time.Time
	hooks map[int][]postgres.Webhook // by minute
}

func newShift(t *testing.T) *shift {
	t.Helper()
	dsn := postgrestest.New(t, func(ctx context.Context, dsn string) error {
		_, err := migrations.Up(ctx, dsn)
		return err
	})
	store, err := postgres.Open(t.Context(), dsn, 4)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := &shift{Team: postgrestest.NewTeam(t, dsn), t: t, store: store, pool: pool, begin: time.Now().Add(-time.Hour).Truncate(time.Second), hooks: map[int][]postgres.Webhook{},
		relay: &relay{store: store, channels: providers(config.Worker{}), meter: newMeter(prometheus.NewRegistry()), log: slog.New(slog.DiscardHandler),
			hash: func(number string) string { return "hash of " + number }}}
	_, err = s.relay.readAccounts(t.Context())
	require.NoError(t, err)
	return s
}

type object = map[string]any

// hears adds a webhook of what happened at a minute of the hour.
func (s *shift) hears(ch string, minute int, what object) {
	s.t.Helper()
	id, at := postgrestest.ExternalID(ch, s.Account[ch]), s.begin.Add(time.Duration(minute)*time.Minute)
	var body object
	switch ch {
	case "whatsapp":
		for _, list := range []string{"messages", "statuses"} {
			if items, ok := what[list].([]object); ok {
				items[0]["timestamp"] = fmt.Sprint(at.Unix())
			}
		}
		what["metadata"] = object{"phone_number_id": id}
		body = object{"object": "whatsapp_business_account", "entry": []object{{"id": "1", "changes": []object{{"field": "messages", "value": what}}}}}
	case "line":
		what["timestamp"], what["webhookEventId"], what["deliveryContext"] = at.UnixMilli(), uuid.NewString(), object{"isRedelivery": false}
		body = object{"destination": id, "events": []object{what}}
	default:
		what["timestamp"] = at.UnixMilli()
		body = object{"object": map[string]string{"facebook": "page", "instagram": "instagram"}[ch], "entry": []object{{"id": id, "time": at.UnixMilli(), "messaging": []object{what}}}}
	}
	text, err := json.Marshal(body)
	require.NoError(s.t, err)
	s.hooks[minute] = append(s.hooks[minute], postgres.Webhook{TeamID: s.ID, Channel: omniflow.Channel(ch), ChannelAccountID: s.Account[ch], Body: text})
}

// write adds what a customer writes: a text, every fourth time a picture.
func (s *shift) write(ch, who string, n, minute int) {
	id, text, picture := fmt.Sprintf("%s.%s.%d", ch, who, n), fmt.Sprint("訊息 ", n), n%4 == 3
	switch {
	case ch == "whatsapp" && picture:
		s.hears(ch, minute, object{"messages": []object{{"from": who, "id": id, "type": "image", "image": object{"id": "9", "mime_type": "image/png"}}}})
	case ch == "whatsapp":
		s.hears(ch, minute, object{"messages": []object{{"from": who, "id": id, "type": "text", "text": object{"body": text}}}})
	case ch == "line" && picture:
		s.hears(ch, minute, object{"type": "message", "mode": "active", "source": object{"type": "user", "userId": who},
			"message": object{"type": "image", "id": id, "contentProvider": object{"type": "line"}, "quoteToken": "q"}})
	case ch == "line":
		s.hears(ch, minute, object{"type": "message", "mode": "active", "source": object{"type": "user", "userId": who},
			"message": object{"type": "text", "id": id, "text": text, "quoteToken": "q"}})
	case picture:
		s.hears(ch, minute, object{"sender": object{"id": who}, "recipient": object{"id": "1"},
			"message": object{"mid": id, "attachments": []object{{"type": "image", "payload": object{"url": "https://cdn.example.com/a.png"}}}}})
	default:
		s.hears(ch, minute, object{"sender": object{"id": who}, "recipient": object{"id": "1"}, "message": object{"mid": id, "text": text}})
	}
}

// broadcast hands a broadcast over and adds the webhooks that tell of it.
func (s *shift) broadcast() {
	s.t.Helper()
	ctx := s.t.Context()
	id := s.Broadcast([]byte(`{"kind":"broadcast_message","audience":{"all":true},"messages":[{"kind":"text","text":"週年慶"}]}`))
	job, err := s.store.BroadcastJob(ctx, s.ID, id)
	require.NoError(s.t, err)
	_, err = s.store.PlanBroadcast(ctx, job)
	require.NoError(s.t, err)
	lanes, err := s.store.BroadcastLanes(ctx, s.ID, id)
	require.NoError(s.t, err)
	require.Len(s.t, lanes, 4)
	for _, lane := range lanes {
		slice := omniflow.Slice{Lane: lane, To: lane.Planned}
		fence, _, err := s.store.TakeSlice(ctx, slice, time.Minute)
		require.NoError(s.t, err)
		claimed, err := s.store.ClaimMessages(ctx, omniflow.Claim{Slice: slice, Fence: fence, Max: 100, ActorID: s.Member})
		require.NoError(s.t, err)
		require.Len(s.t, claimed.Messages, lane.Planned)
		var records []omniflow.Record
		for i, m := range claimed.Messages {
			r := omniflow.Record{MessageID: m.ID, Attempt: m.Attempt, State: omniflow.Sent, ProviderID: fmt.Sprintf("out.%s.%d", lane.Channel, i), At: time.Now()}
			if i%5 == 0 { // an answer that was lost
				r.State, r.Code, r.ProviderID, r.DueAt = omniflow.Unknown, omniflow.OutcomeUnknown, "", time.Now().Add(time.Hour)
			}
			records = append(records, r)
			s.tellOf(string(lane.Channel), i, m)
		}
		_, err = s.store.RecordMessages(ctx, s.ID, records)
		require.NoError(s.t, err)
	}
	s.Exec(`UPDATE messages SET attempted_at = $1`, s.begin)
}

// tellOf adds what a provider says of the i-th message of a lane.
func (s *shift) tellOf(ch string, i int, m omniflow.ClaimedMessage) {
	who, id := m.Recipient, fmt.Sprintf("out.%s.%d", ch, i)
	key := channel.Key{MessageID: m.ID, Attempt: m.Attempt}.String()
	switch ch {
	case "whatsapp":
		for n, status := range []string{"sent", "delivered", "read"}[:1+i%3] {
			s.hears(ch, 1+n, object{"statuses": []object{{"id": id, "status": status, "recipient_id": who, "biz_opaque_callback_data": key}}})
		}
		if i%7 == 0 {
			s.hears(ch, 2, object{"statuses": []object{{"id": id, "status": "failed", "recipient_id": who, "biz_opaque_callback_data": key, "errors": []object{{"code": 131026}}}}})
		}
	case "facebook", "instagram":
		echo := object{"mid": id, "is_echo": true, "app_id": 5, "text": "週年慶"}
		if ch == "facebook" {
			echo["metadata"] = key
		}
		s.hears(ch, 0, object{"sender": object{"id": "1"}, "recipient": object{"id": who}, "message": echo})
		if i%2 == 0 {
			s.hears(ch, 5, object{"sender": object{"id": who}, "recipient": object{"id": "1"}, "read": object{"watermark": s.begin.Add(5 * time.Minute).UnixMilli(), "mid": id}})
		}
	}
}

// deliver lets webhooks come in and the relay read them, a few at a time. It
// returns how many were new.
func (s *shift) deliver(random *rand.Rand, hooks []postgres.Webhook) int {
	s.t.Helper()
	fresh := 0
	for len(hooks) > 0 {
		n := min(1+random.IntN(20), len(hooks))
		stored, err := s.store.ReceiveWebhooks(s.t.Context(), hooks[:n])
		require.NoError(s.t, err)
		for _, is := range stored {
			if is {
				fresh++
			}
		}
		hooks = hooks[n:]
		for read := 1; read > 0; {
			read, err = s.relay.drainInbox(s.t.Context())
			require.NoError(s.t, err)
		}
	}
	return fresh
}

// tables is every row of every table but the inbox.
func (s *shift) tables() map[string][]string {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `SELECT table_name::text FROM information_schema.tables
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('inbox', 'goose_db_version')`)
	require.NoError(s.t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(s.t, err)
	out := map[string][]string{}
	for _, name := range names {
		rows, err := s.pool.Query(s.t.Context(), `SELECT t::text FROM `+pgx.Identifier{name}.Sanitize()+` t ORDER BY 1`)
		require.NoError(s.t, err)
		out[name], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(s.t, err)
	}
	return out
}

// TestAnHourOfWebhooksTwiceChangesNoTable delivers every webhook of an hour of
// statuses, receipts, echoes, messages and files again: as it was, and as a
// provider repeats it days later, in other bytes and any order. Not a row of any
// table may differ, but for the inbox's own.
func TestAnHourOfWebhooksTwiceChangesNoTable(t *testing.T) {
	t.Parallel()
	s := newShift(t)
	random := rand.New(rand.NewPCG(3, 1))
	for _, ch := range []string{"line", "facebook", "instagram", "whatsapp"} {
		s.Customers(ch, 25)
	}
	s.broadcast()
	for n := range 300 {
		ch := []string{"line", "facebook", "instagram", "whatsapp"}[n%4]
		s.write(ch, postgrestest.Recipient(ch, random.IntN(30)), n/4, random.IntN(60)) // five of thirty are new
	}
	s.hears("whatsapp", 9, object{"statuses": []object{{"id": "nobody's", "status": "read", "recipient_id": "1", "biz_opaque_callback_data": channel.Key{MessageID: uuid.New(), Attempt: 1}.String()}}})
	var hour []postgres.Webhook
	for minute := range 60 {
		hour = append(hour, s.hooks[minute]...)
	}
	require.Equal(t, len(hour), s.deliver(random, hour))

	want := s.tables()
	for table, atLeast := range map[string]int{"inbound_messages": 300, "message_events": 40, "inbound_media": 50, "webhook_evidence": 1, "outbox_signals": 20, "dead_letters": 1} {
		require.GreaterOrEqual(t, len(want[table]), atLeast, "the hour fills %s", table)
	}
	require.Zero(t, s.deliver(random, hour), "the same bytes are known at the door")
	require.Equal(t, want, s.tables())
	for range 2 {
		for i := range hour {
			hour[i].Body = append([]byte(" "), hour[i].Body...)
		}
		random.Shuffle(len(hour), func(i, j int) { hour[i], hour[j] = hour[j], hour[i] })
		require.Equal(t, len(hour), s.deliver(random, hour), "other bytes are read again")
		got := s.tables()
		for table := range want {
			require.Equal(t, want[table], got[table], table)
		}
	}
}
