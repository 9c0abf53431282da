package postgres

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// says is one message of a customer nobody has heard of before, unless who was.
func (s *spine) says(ch omniflow.Channel, who, text string) omniflow.CustomerMessage {
	return omniflow.CustomerMessage{TeamID: s.ID, Channel: ch, ChannelAccountID: s.account(ch), Sender: who, ProviderID: uuid.NewString(), Kind: "text",
		Text: text, At: time.Now(), Raw: []byte(`{"a": "` + uuid.NewString() + `"}`)}
}

func (s *spine) sends(ch omniflow.Channel, who, kind string, received omniflow.ReceivedKind) omniflow.CustomerMessage {
	m := s.says(ch, who, "")
	m.Kind, m.Received = kind, received
	return m
}

// tell puts messages through the intake.
func (s *spine) tell(messages ...omniflow.CustomerMessage) omniflow.IntakeResult {
	s.t.Helper()
	return s.drain(omniflow.Intake{Messages: messages})
}

// of is the conversation of a customer.
func (s *spine) of(ch omniflow.Channel, who string) uuid.UUID {
	s.t.Helper()
	var id uuid.UUID
	s.Scan(&id, `SELECT c.id FROM conversations c JOIN channel_identities i ON i.id = c.channel_identity_id WHERE i.channel_account_id = $1 AND i.external_id = $2`, s.account(ch), who)
	return id
}

// keyword adds a rule of the team.
func (s *spine) keyword(r omniflow.KeywordRule) {
	s.t.Helper()
	r.ID = newID()
	if r.Match == "" {
		r.Match = omniflow.MatchExact
	}
	require.Nil(s.t, r.Check())
	_, err := s.SaveKeyword(s.t.Context(), KeywordRule{TeamID: s.ID, KeywordRule: r}, true, By{ActorID: s.Member})
	require.NoError(s.t, err)
}

var inBot = []omniflow.ConversationState{omniflow.PendingBot}

func TestSection2TheReceivedMessageDecidesTheState(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy := s.colleague("Amy", omniflow.CSAgent)
	s.keyword(omniflow.KeywordRule{Keyword: "優惠", Reply: "九折", States: inBot})
	s.keyword(omniflow.KeywordRule{Keyword: "訂單", AssignTo: amy})
	s.keyword(omniflow.KeywordRule{Keyword: "真人", AskHuman: true, Reply: "請稍候", States: []omniflow.ConversationState{omniflow.PendingHuman}})
	const none, bot, human, handling, closed = omniflow.NoConversation, omniflow.PendingBot, omniflow.PendingHuman, omniflow.Handling, omniflow.Closed
	kinds := []struct {
		name     string
		received omniflow.ReceivedKind
		text     string
		want     omniflow.ConversationState // from none, pending_bot, closed
	}{
		{"line_rich_menu_bot_card", omniflow.LINERichMenuBotCard, "", bot},
		{"line_rich_menu_text_omnichat", omniflow.LINERichMenuTextOmnichat, "", bot},
		{"EX-031 line_rich_menu_text_line", omniflow.LINERichMenuTextLINE, "查詢", human},
		{"EX-032 with assignment", omniflow.LINERichMenuTextLINE, "訂單", handling},
		{"line_six_digit_code", omniflow.LINESixDigitCode, "", bot},
		{"EX-030 facebook_get_started", omniflow.FacebookGetStarted, "", bot},
		{"facebook_persistent_menu", omniflow.FacebookPersistentMenu, "", bot},
		{"EX-037 text_keyword_hit", "", " 優惠 ", bot},
		{"text_no_keyword", "", "你好", human},
		{"CNV-18 text_no_keyword with assignment", "", "訂單", handling},
		{"CNV-11 asks for a human", "", "真人", human},
		{"EX-037 media", omniflow.ReceivedMedia, "", human},
		{"D-CNV-4 a type in no row", "location", "", human},
	}
	for i, k := range kinds {
		for _, from := range []omniflow.ConversationState{none, bot, human, handling, closed} {
			ch := omniflow.LINE
			if strings.Contains(k.name, "facebook") {
				ch = omniflow.Facebook
			}
			who := fmt.Sprintf("U%d-%s", i, from)
			m := s.says(ch, who, k.text)
			if m.Received = k.received; k.received != "" && k.received != omniflow.LINERichMenuTextLINE {
				m.Kind = "other"
			}
			var before uuid.UUID
			if from != none {
				s.tell(s.sends(ch, who, "image", omniflow.ReceivedMedia))
				if from == handling || from == closed {
					before = s.Member
				}
				s.put(s.of(ch, who), from, before)
			}
			require.Equal(t, 1, s.tell(m).Messages, k.name)
			state, follower := s.shown(s.of(ch, who))
			want, wantFollower := k.want, uuid.Nil
			if from == human || from == handling { // CNV-14, CNV-16
				want, wantFollower = from, before
			} else if want == handling {
				wantFollower = amy
			}
			require.Equal(t, []any{want, wantFollower}, []any{state, follower}, "%s in %q", k.name, from)
			var last string
			s.Scan(&last, `SELECT COALESCE((array_agg(event ORDER BY id DESC))[1], '') FROM conversation_log WHERE conversation_id = $1 AND detail ->> 'to' = $2 AND detail ->> 'from' = $3`, s.of(ch, who), string(want), string(from))
			require.Equal(t, want != from, last != "", "%s in %q: CNV-19 one entry a transition", k.name, from)
		}
	}
	require.Equal(t, 3, s.countOf(`SELECT count(*) FROM conversation_log WHERE event = 'ask_human'`))
	require.Equal(t, 3, s.countOf(`SELECT count(*) FROM conversation_log WHERE event = 'keyword_assignment' AND detail ->> 'received' = 'text_no_keyword'`))
}

func TestEX034APendingHumanStaysSoWhenABotCardIsTapped(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.tell(s.says(omniflow.LINE, "U1", "你好"))
	id := s.of(omniflow.LINE, "U1")
	logs := s.countOf(`SELECT count(*) FROM conversation_log`)
	require.Equal(t, 1, s.tell(s.sends(omniflow.LINE, "U1", "postback", omniflow.LINERichMenuBotCard)).Messages)
	state, _ := s.shown(id)
	require.Equal(t, omniflow.PendingHuman, state)
	require.Equal(t, logs, s.countOf(`SELECT count(*) FROM conversation_log`))
}

func TestEX035EX036AReplyFiresInHandlingOnlyWhereThatIsTicked(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.keyword(omniflow.KeywordRule{Keyword: "hours", Reply: "10 to 6", States: inBot})
	s.keyword(omniflow.KeywordRule{Keyword: "address", Reply: "{{system:customer_name}}: here", States: []omniflow.ConversationState{omniflow.Handling}})
	id := s.conversationIn(omniflow.Handling, s.Member)
	s.Exec(`UPDATE contacts SET name = '王小明'`)
	who := postgrestest.Recipient("line", 0)
	replies := func() int {
		return s.countOf(`SELECT count(*) FROM conversation_messages WHERE conversation_id = $1 AND origin = 'auto_reply'`, id)
	}
	require.Equal(t, 1, s.tell(s.says(omniflow.LINE, who, "Hours")).Messages)
	state, follower := s.shown(id)
	require.Equal(t, []any{omniflow.Handling, s.Member, 0}, []any{state, follower, replies()}, "EX-035")
	again := s.says(omniflow.LINE, who, "ADDRESS ")
	require.Equal(t, 1, s.tell(again).Messages)
	require.Zero(t, s.tell(again).Messages)
	state, follower = s.shown(id)
	require.Equal(t, []any{omniflow.Handling, s.Member, 1}, []any{state, follower, replies()}, "EX-036")
	var text string
	s.Scan(&text, `SELECT c.body -> 0 ->> 'text' FROM messages m JOIN contents c ON c.id = m.content_id WHERE m.conversation_id = $1`, id)
	require.Equal(t, "王小明: here", text)
	old := s.says(omniflow.LINE, who, "address")
	old.At = time.Now().Add(-49 * time.Hour)
	s.tell(old)
	require.Equal(t, 1, replies(), "nobody is answered days later")
	// Who wrote in a closed conversation is in pending_bot after it: there the first rule fires.
	s.put(id, omniflow.Closed, s.Member)
	s.tell(s.says(omniflow.LINE, who, "hours"))
	state, _ = s.shown(id)
	require.Equal(t, []any{omniflow.PendingBot, 2}, []any{state, replies()})
}

func TestEX042LeavingTheBotShowsTheWaitAtOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.keyword(omniflow.KeywordRule{Keyword: "menu", Reply: "1 2 3", States: inBot})
	first := s.says(omniflow.LINE, "U1", "menu")
	first.At = time.Now().Add(-40 * time.Minute)
	s.tell(first)
	id := s.of(omniflow.LINE, "U1")
	level := func() int { return s.countOf(`SELECT waiting_level FROM conversations WHERE id = $1`, id) }
	require.Zero(t, level(), "WTG-03")
	s.tell(s.says(omniflow.LINE, "U1", "你好"))
	require.Equal(t, int(omniflow.WaitingOver30m), level(), "D-WTG-2")
	var since time.Time
	s.Scan(&since, `SELECT waiting_since FROM conversations WHERE id = $1`, id)
	require.WithinDuration(t, first.At, since, time.Millisecond, "D-WTG-1")
}

func TestEX059ABlockedCustomerIsDroppedAndCounted(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 2)
	s.Exec(`UPDATE channel_identities SET blocked_at = now() WHERE external_id = $1`, postgrestest.Recipient("whatsapp", 0))
	s.Exec(`DELETE FROM conversations WHERE channel_identity_id = (SELECT id FROM channel_identities WHERE external_id = $1)`, postgrestest.Recipient("whatsapp", 0))
	blocked, other := s.wrote(omniflow.WhatsApp, 0, "wamid.1", time.Now()), s.wrote(omniflow.WhatsApp, 1, "wamid.2", time.Now())
	require.Equal(t, omniflow.IntakeResult{Items: 1, Messages: 1, Blocked: 1}, s.tell(blocked, other))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversations`))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM inbound_messages`))
}

func TestEX060ADeletedCustomerWhoWritesIsNewAgain(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.customers(omniflow.WhatsApp, 1)
	s.Exec(`DELETE FROM conversations`) // the identity is still there
	require.Equal(t, 1, s.tell(s.wrote(omniflow.WhatsApp, 0, "wamid.1", time.Now())).Messages)
	state, follower := s.shown(s.of(omniflow.WhatsApp, postgrestest.Recipient("whatsapp", 0)))
	require.Equal(t, []any{omniflow.PendingHuman, uuid.Nil}, []any{state, follower})
}

func TestANewCustomerBecomesAContactOnce(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	var messages []omniflow.CustomerMessage
	for i := range 20 {
		messages = append(messages, s.says(omniflow.WhatsApp, fmt.Sprintf("88691100%04d", i%5), "hi"))
	}
	// Four relays at once, each with messages of the same customers.
	read := make([]func() error, 4)
	for i := range read {
		s.requests(0)
		s.Exec(`INSERT INTO inbox (team_id, channel, channel_account_id, event_key, body) VALUES ($1, 'whatsapp', $2, $3, $4)`,
			s.ID, s.account(omniflow.WhatsApp), []byte{byte(i)}, []byte{byte('0' + i)})
		read[i] = func() error {
			_, err := s.DrainInbox(t.Context(), 1, func(items []omniflow.InboxItem) omniflow.Intake {
				n := int(items[0].Body[0] - '0')
				return omniflow.Intake{Messages: append(messages[n*5:n*5+5:n*5+5], messages[0])}
			})
			return err
		}
	}
	for _, err := range race(read...) {
		require.NoError(t, err)
	}
	for table, want := range map[string]int{"contacts": 5, "channel_identities": 5, "conversations": 5, "inbound_messages": 20} {
		require.Equal(t, want, s.countOf(`SELECT count(*) FROM `+table), table)
	}
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM contacts WHERE phone = '+886911000003'`), "WAC-03")
	require.Equal(t, 4, s.countOf(`SELECT customer_messages FROM conversations WHERE id = $1`, s.of(omniflow.WhatsApp, "886911000000")))
	require.Zero(t, s.countOf(`SELECT count(*) FROM dead_letters`))
}

func TestCOL07ACollaborationIsNeverPending(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	amy, tom := s.colleague("Amy", omniflow.CSAgent), s.colleague("Tom", omniflow.CSAgent)
	s.keyword(omniflow.KeywordRule{Keyword: "訂單", AssignTo: tom})
	id := s.conversationIn(omniflow.Closed, s.Member)
	s.collaborate(id, amy)
	s.tell(s.says(omniflow.LINE, postgrestest.Recipient("line", 0), "訂單"))
	state, follower := s.shown(id)
	require.Equal(t, []any{omniflow.Handling, s.Member}, []any{state, follower}, "EX-088, EX-097")
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM collaborators WHERE conversation_id = $1`, id))
}

func TestALateMessageReopensOnlyWhatNobodyAnswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply time.Duration // before now; 0: never
		want  omniflow.ConversationState
		wait  bool
	}{
		"answered since":     {30 * time.Minute, omniflow.Closed, false},
		"answered before":    {3 * time.Hour, omniflow.PendingHuman, true},
		"answered by no one": {0, omniflow.PendingHuman, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			id := s.conversationIn(omniflow.Closed, s.Member)
			s.Exec(`UPDATE conversations SET closed_at = now() - interval '10 minutes', last_human_reply_at = now() - NULLIF($2::interval, interval '0') WHERE id = $1`, id, c.reply)
			m := s.says(omniflow.LINE, postgrestest.Recipient("line", 0), "在嗎")
			m.At = time.Now().Add(-time.Hour)
			require.Equal(t, 1, s.tell(m).Messages)
			state, _ := s.shown(id)
			require.Equal(t, c.want, state)
			require.Equal(t, 1, s.countOf(`SELECT customer_messages FROM conversations WHERE id = $1`, id), "unread all the same")
			require.Equal(t, c.wait, s.countOf(`SELECT count(*) FROM conversations WHERE waiting_since IS NOT NULL`) == 1)
		})
	}
}

func TestClocksOfProvidersAreNotBelieved(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	for who, at := range map[string]time.Time{"future": time.Now().Add(99 * time.Hour), "ancient": time.Unix(0, 0), "zero": {}} {
		m := s.says(omniflow.Facebook, who, "hi")
		m.At = at
		require.Equal(t, 1, s.tell(m).Messages, who)
	}
	require.Zero(t, s.countOf(`SELECT count(*) FROM conversations WHERE GREATEST(last_customer_message_at, last_message_at, waiting_since) > clock_timestamp()`))
	require.Zero(t, s.countOf(`SELECT count(*) FROM conversations WHERE waiting_since < now() - interval '8 days'`))
	require.Equal(t, 1, s.countOf(`SELECT count(*) FROM conversations WHERE last_customer_message_at > now() - interval '1 day'`), "an old stamp opens no window")
}

func TestWhatNoIndexHoldsIsADeadLetter(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	long, nameless, fine := s.says(omniflow.LINE, "U1", "a"), s.says(omniflow.LINE, "", "b"), s.says(omniflow.LINE, "U2", "c\x00\xff")
	long.ProviderID = strings.Repeat("x", 5000)
	huge := s.says(omniflow.LINE, "U3", strings.Repeat("字", 4<<20))
	require.Equal(t, omniflow.IntakeResult{Items: 1, Messages: 2, Dead: 2}, s.tell(long, nameless, fine, huge))
	require.Equal(t, []omniflow.Code{omniflow.EnvelopeInvalid, omniflow.EnvelopeInvalid}, s.reasons())
}

func TestAMessageCostsNoEventUnlessADeadlineBecomesEarlier(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	signals := func() int { return s.countOf(`SELECT count(*) FROM outbox_signals`) }
	s.tell(s.says(omniflow.LINE, "U1", "hi"))
	id := s.of(omniflow.LINE, "U1")
	require.Equal(t, 1, signals(), "a new conversation has a run")
	s.Exec(`UPDATE conversations SET armed_until = waiting_since + interval '30 minutes'`)
	for range 5 {
		s.tell(s.says(omniflow.LINE, "U1", "again"))
	}
	require.Equal(t, 1, signals(), "the wait is open already")
	s.Exec(`UPDATE conversations SET waiting_since = NULL, armed_until = now() + interval '20 hours', state = 'handling', follower_id = $2 WHERE id = $1`, id, s.Member)
	s.tell(s.says(omniflow.LINE, "U1", "one more"))
	require.Equal(t, 2, signals(), "a wait opens")
	require.Zero(t, s.countOf(`SELECT count(*) FROM conversations WHERE armed_until > now()`))
}

// A run that is promised by a customer's message is told what its first look
// would find; one that has something to send looks at once.
func TestARunIsToldWhatItsFirstLookWouldFind(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.keyword(omniflow.KeywordRule{Keyword: "menu", Reply: "1 2 3", States: inBot})
	for who, words := range map[string]string{"new": "hello", "answered": "menu"} {
		s.tell(s.says(omniflow.Facebook, who, words))
		id := s.of(omniflow.Facebook, who)
		var in omniflow.ServeConversationInput
		var armed time.Time
		require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT o.input, c.armed_until FROM outbox_signals o JOIN conversations c ON c.id = o.conversation_id
			WHERE c.id = $1 ORDER BY o.id LIMIT 1`, id).Scan(&in, &armed))
		turn, err := s.ServeConversation(t.Context(), omniflow.ConversationRef{TeamID: s.ID, ConversationID: id})
		require.NoError(t, err)
		if words == "menu" {
			require.Zero(t, in.Turn)
			require.Len(t, turn.Due, 1)
			require.False(t, armed.After(time.Now()))
			continue
		}
		require.WithinDuration(t, turn.Next, in.Turn.Next, time.Millisecond)
		require.WithinDuration(t, armed, in.Turn.Next, time.Millisecond)
		in.Turn.Next, turn.Next, in.Turn.Wait, turn.Wait = time.Time{}, time.Time{}, 0, 0
		require.Equal(t, turn, in.Turn)
		// What comes before that moment tells the run.
		require.NoError(t, s.move(id, s.Member, omniflow.Follow))
		require.Equal(t, 2, s.countOf(`SELECT count(*) FROM outbox_signals WHERE conversation_id = $1`, id))
	}
}

// TestDoubleDeliveryChangesNothing replays a mixed hour of messages in random
// order, each at least twice, in batches of random size: the outcome is the
// same every time.
func TestDoubleDeliveryChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	s.keyword(omniflow.KeywordRule{Keyword: "menu", Reply: "1 2 3", States: inBot})
	begin := time.Now().Add(-time.Hour)
	var hour []omniflow.CustomerMessage
	kinds := []omniflow.ReceivedKind{"", "", omniflow.LINERichMenuBotCard, omniflow.ReceivedMedia, omniflow.LINESixDigitCode}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 120 {
		m := s.says(omniflow.LINE, fmt.Sprintf("U%d", random.IntN(12)), []string{"menu", "hello", "menu"}[random.IntN(3)])
		if m.Received = kinds[random.IntN(len(kinds))]; m.Received != "" {
			m.Kind, m.Text = "other", ""
		}
		m.ProviderID, m.At = fmt.Sprintf("m%d", i), begin.Add(time.Duration(random.IntN(3000))*time.Second)
		hour = append(hour, m)
	}
	const outcome = `SELECT string_agg(concat_ws(' ', i.external_id, c.state, c.follower_id, c.customer_messages, c.last_customer_message_at, c.waiting_since, c.waiting_level), E'\n' ORDER BY i.external_id)
		FROM conversations c JOIN channel_identities i ON i.id = c.channel_identity_id`
	var want string
	for round := range 6 {
		s.Exec(`TRUNCATE conversation_messages, messages, contents, inbound_messages, conversation_log, conversations, channel_identities, contacts, outbox_signals CASCADE`)
		mixed := append(append([]omniflow.CustomerMessage{}, hour...), hour...)
		if round > 0 {
			random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		}
		stored := 0
		for len(mixed) > 0 {
			n := min(1+random.IntN(60), len(mixed))
			stored += s.tell(mixed[:n]...).Messages
			mixed = mixed[n:]
		}
		require.Equal(t, len(hour), stored)
		var got string
		s.Scan(&got, outcome)
		if round == 0 {
			want = got
		}
		require.Equal(t, want, got, "round %d", round)
	}
}
