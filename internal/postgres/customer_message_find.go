package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// holdAll makes the conversations that senders lack (CNV-05), drops what blocked
// ones wrote (EX-059) and counts it, and locks every conversation that the batch
// may change: of its messages, its groups, and the statuses in it.
func (b *heardBatch) holdAll(ctx context.Context, tx pgx.Tx, groups []uuid.UUID, served []servedMessagesOf) error {
	if len(b.strange) > 0 {
		if err := makeContacts(ctx, tx, b.strange); err != nil {
			return err
		}
		if err := b.lookUp(ctx, tx); err != nil {
			return err
		}
	}
	b.keep(func(m *heardMessage) bool {
		if m.Blocked {
			b.blocked++
		}
		return !m.Blocked
	})
	ids := append(b.conversations(), groups...)
	for _, c := range served {
		ids = append(ids, c.ConversationID)
	}
	return b.hold(ctx, tx, ids)
}

// conversations are those of the messages, as far as they are known.
func (b *heardBatch) conversations() []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(b.messages))
	for _, m := range b.messages {
		if m.Conversation != uuid.Nil {
			ids = append(ids, m.Conversation)
		}
	}
	return ids
}

// hold locks those conversations of ids that the batch does not hold yet, in one
// order.
func (b *heardBatch) hold(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) error {
	ids = slices.DeleteFunc(ids, func(id uuid.UUID) bool { return b.held[id] })
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `SELECT FROM conversations WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, ids); err != nil {
		return fmt.Errorf("hold conversations: %w", err)
	}
	for _, id := range ids {
		b.held[id] = true
	}
	return nil
}

// lookUp fills in the conversations of the one-to-one messages, and notes those
// whose sender has none.
func (b *heardBatch) lookUp(ctx context.Context, tx pgx.Tx) error {
	var direct []*heardMessage
	for _, m := range b.messages {
		if m.GroupID == "" {
			direct = append(direct, m)
		}
	}
	if len(direct) == 0 {
		return nil
	}
	places, accounts, senders := make([]int32, len(direct)), make([]uuid.UUID, len(direct)), make([]string, len(direct))
	for i, m := range direct {
		places[i], accounts[i], senders[i] = int32(i), m.ChannelAccountID, m.Sender
		m.Conversation = uuid.Nil
	}
	rows, _ := tx.Query(ctx, `
		SELECT f.place, i.blocked_at IS NOT NULL, c.id
		FROM unnest($1::integer[], $2::uuid[], $3::text[]) AS f(place, account, sender)
		JOIN channel_identities i ON i.channel_account_id = f.account AND i.external_id = f.sender
		LEFT JOIN conversations c ON c.channel_identity_id = i.id`, places, accounts, senders)
	var place int32
	var blocked bool
	var id *uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&place, &blocked, &id}, func() error {
		m := direct[place]
		if m.Blocked = blocked; id != nil {
			m.Conversation = *id
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find senders: %w", err)
	}
	b.strange = slices.DeleteFunc(direct, func(m *heardMessage) bool { return m.Blocked || m.Conversation != uuid.Nil })
	return nil
}

// newSender is a sender to make.
type newSender struct {
	account, team uuid.UUID
	channel       omniflow.Channel
	external      string
	phone         string // E.164
	name          string
}

// phoneOf is the phone number of a WhatsApp customer, which is its id there
// (WAC-03), "" elsewhere.
func phoneOf(ch omniflow.Channel, external string) string {
	if ch != omniflow.WhatsApp || len(external) < 5 || len(external) > 15 || strings.Trim(external, "0123456789") != "" {
		return ""
	}
	return "+" + external
}

// makeContacts makes what the senders of messages lack.
func makeContacts(ctx context.Context, tx pgx.Tx, messages []*heardMessage) error {
	senders := make([]newSender, len(messages))
	for i, m := range messages {
		senders[i] = newSender{account: m.ChannelAccountID, team: m.TeamID, channel: m.Channel, external: m.Sender, phone: phoneOf(m.Channel, m.Sender)}
	}
	return makeSenders(ctx, tx, senders)
}

// makeSenders makes contact, identity and conversation of senders, as far as
// they are not there. A sender is locked by account and id, all in one order:
// whoever else is about to make the same waits, and then finds it. The
// conversations have no state yet; the caller gives them one before committing.
func makeSenders(ctx context.Context, tx pgx.Tx, senders []newSender) error {
	keyOf := func(s newSender) string { return s.account.String() + "/" + s.external }
	slices.SortFunc(senders, func(a, b newSender) int { return strings.Compare(keyOf(a), keyOf(b)) })
	senders = slices.CompactFunc(senders, func(a, b newSender) bool { return keyOf(a) == keyOf(b) })
	n := len(senders)
	keys, externals, phones, channels, names := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	contacts, identities, conversations := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	teams, accounts := make([]uuid.UUID, n), make([]uuid.UUID, n)
	for i, s := range senders {
		keys[i], externals[i], phones[i], channels[i], names[i] = keyOf(s), s.external, s.phone, string(s.channel), s.name
		contacts[i], identities[i], conversations[i] = newID(), newID(), newID()
		teams[i], accounts[i] = s.team, s.account
	}
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('sender ' || k, 0)) FROM unnest($1::text[]) WITH ORDINALITY AS u(k, n) ORDER BY n`, keys)
	if err != nil {
		return fmt.Errorf("lock senders: %w", err)
	}
	_, err = tx.Exec(ctx, `
		WITH f AS (
		  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[]) AS f(contact, identity, team, account, external, phone, name)
		  WHERE NOT EXISTS (SELECT FROM channel_identities i WHERE i.channel_account_id = f.account AND i.external_id = f.external)),
		made AS (INSERT INTO contacts (id, team_id, phone, name) SELECT contact, team, phone, name FROM f RETURNING id)
		INSERT INTO channel_identities (id, team_id, contact_id, channel_account_id, external_id)
		SELECT f.identity, f.team, f.contact, f.account, f.external FROM f JOIN made ON made.id = f.contact`,
		contacts, identities, teams, accounts, externals, phones, names)
	if err != nil {
		return fmt.Errorf("make contacts: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO conversations (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state)
		SELECT f.id, i.team_id, i.contact_id, i.id, f.account, f.channel, ''
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS f(id, account, external, channel)
		JOIN channel_identities i ON i.channel_account_id = f.account AND i.external_id = f.external
		ON CONFLICT (channel_identity_id) DO NOTHING`, conversations, accounts, externals, channels)
	if err != nil {
		return fmt.Errorf("make conversations: %w", err)
	}
	return nil
}

// read reads the conversations of the batch, and the time, once all are held.
// One that vanished meanwhile is a dead letter.
func (b *heardBatch) read(ctx context.Context, tx pgx.Tx) error {
	ids := b.conversations()
	if err := b.hold(ctx, tx, slices.Clone(ids)); err != nil { // of a group that has become known only now
		return err
	}
	rows, _ := tx.Query(ctx, `
		SELECT c.id, c.team_id, c.type, c.channel, c.state, COALESCE(c.follower_id, '00000000-0000-0000-0000-000000000000'),
		  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id), COALESCE(p.name, ''),
		  c.closed_at, c.last_human_reply_at, c.last_customer_message_at, c.last_message_at, c.waiting_since, c.armed_until, clock_timestamp()
		FROM conversations c LEFT JOIN contacts p ON p.id = c.contact_id WHERE c.id = ANY ($1) ORDER BY c.id`, ids)
	var t heardTalk
	var closed, replied, customer, last, waiting, armed *time.Time
	into := []any{&t.ID, &t.TeamID, &t.Type, &t.Channel, &t.State, &t.FollowerID, &t.Collaborators, &t.Name, &closed, &replied, &customer, &last, &waiting, &armed, &b.now}
	_, err := pgx.ForEachRow(rows, into, func() error {
		held := t
		held.ClosedAt, held.LastHumanReplyAt, held.LastCustomerAt = orZero(closed), orZero(replied), orZero(customer)
		held.LastMessageAt, held.WaitingSince, held.ArmedUntil = orZero(last), orZero(waiting), orZero(armed)
		held.Was = held.Talk
		b.talks[held.ID] = &held
		b.order = append(b.order, held.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read conversations: %w", err)
	}
	b.keep(func(m *heardMessage) bool {
		found := b.talks[m.Conversation] != nil
		if !found {
			b.bury(m.CustomerMessage, omniflow.ConversationUnknown)
		}
		return found
	})
	return nil
}

// dropRepeated leaves out what is stored already. It is asked only once the
// conversations are held: another relay may be about to store the same.
func (b *heardBatch) dropRepeated(ctx context.Context, tx pgx.Tx) error {
	accounts, providers := make([]uuid.UUID, len(b.messages)), make([]string, len(b.messages))
	places := make([]int32, len(b.messages))
	for i, m := range b.messages {
		places[i], accounts[i], providers[i] = int32(i), m.ChannelAccountID, m.ProviderID
	}
	rows, _ := tx.Query(ctx, `
		SELECT f.place FROM unnest($1::integer[], $2::uuid[], $3::text[]) AS f(place, account, provider)
		JOIN inbound_messages i ON i.channel_account_id = f.account AND i.provider_id = f.provider`, places, accounts, providers)
	var place int32
	_, err := pgx.ForEachRow(rows, []any{&place}, func() error { b.messages[place].Repeated = true; return nil })
	if err != nil {
		return fmt.Errorf("find repeated messages: %w", err)
	}
	b.keep(func(m *heardMessage) bool { return !m.Repeated })
	return nil
}

// readTexts tells taps on menus set in LINE from typed texts, and asks the
// keyword rules of the teams about both.
func (b *heardBatch) readTexts(ctx context.Context, tx pgx.Tx) error {
	var teams, lines []uuid.UUID
	var texts []*heardMessage
	for _, m := range b.messages {
		if m.Text == "" || m.GroupID != "" {
			continue
		}
		texts = append(texts, m)
		if !slices.Contains(teams, m.TeamID) {
			teams = append(teams, m.TeamID)
		}
		if m.Channel == omniflow.LINE && !slices.Contains(lines, m.ChannelAccountID) {
			lines = append(lines, m.ChannelAccountID)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	menus := map[uuid.UUID][]string{}
	if len(lines) > 0 {
		var err error
		if menus, err = menuTexts(ctx, tx, lines); err != nil {
			return err
		}
	}
	rules, err := keywordRulesOf(ctx, tx, teams)
	if err != nil {
		return err
	}
	for _, m := range texts {
		if m.Received == "" && m.Channel == omniflow.LINE {
			m.Received = omniflow.ReadLINEMenuText(m.Text, menus[m.ChannelAccountID])
		}
		m.Hit = omniflow.MatchKeywords(rules[m.TeamID], m.Channel, m.Text)
	}
	return nil
}
