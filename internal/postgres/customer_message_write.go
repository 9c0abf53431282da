package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// write stores the batch: conversations, messages, files, log, notifications,
// signals, what else a message says about earlier ones, and automatic replies.
func (b *heardBatch) write(ctx context.Context, tx pgx.Tx) error {
	var empty []uuid.UUID
	b.order = slices.DeleteFunc(b.order, func(id uuid.UUID) bool {
		t := b.talks[id]
		if t.Heard == 0 && t.Was.State == omniflow.NoConversation {
			empty = append(empty, id)
		}
		return t.Heard == 0 // only repeated messages: left alone
	})
	if len(empty) > 0 {
		if _, err := tx.Exec(ctx, `DELETE FROM conversations WHERE id = ANY ($1) AND state = ''`, empty); err != nil {
			return fmt.Errorf("drop empty conversations: %w", err)
		}
	}
	if len(b.messages) == 0 {
		return nil
	}
	steps := []func(context.Context, pgx.Tx) error{b.writeTalks, b.writeMessages, b.writeMedia, b.writeLog, b.writeNotifications, b.readEarlier, b.touchMembers, b.queueReplies}
	for _, step := range steps {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// writeTalks stores what the conversations have become, and wakes the runs of
// those that have to look earlier than they would.
func (b *heardBatch) writeTalks(ctx context.Context, tx pgx.Tx) error {
	n := len(b.order)
	states, followers := make([]string, n), make([]*uuid.UUID, n)
	customer, last, waiting := make([]*time.Time, n), make([]*time.Time, n), make([]*time.Time, n)
	levels, heard, armed := make([]int16, n), make([]int64, n), make([]*time.Time, n)
	var woken []*heardTalk
	for i, id := range b.order {
		t := b.talks[id]
		level, next := omniflow.WaitingLevelOf(t.State, t.WaitingSince, b.now)
		states[i], followers[i] = string(t.State), orNil(t.FollowerID)
		customer[i], last[i], waiting[i] = orNull(t.LastCustomerAt), orNull(t.LastMessageAt), orNull(t.WaitingSince)
		levels[i], heard[i] = int16(level), int64(t.Heard)
		if t.wakes(next, b.now) {
			armed[i] = t.arm(b.now)
			woken = append(woken, t)
		}
	}
	_, err := tx.Exec(ctx, `
		UPDATE conversations c SET state = f.state, follower_id = f.follower, last_customer_message_at = f.customer, last_message_at = f.last,
		  waiting_since = f.waiting, waiting_level = f.level, customer_messages = c.customer_messages + f.heard,
		  version = c.version + CASE WHEN f.state <> c.state OR f.follower IS DISTINCT FROM c.follower_id THEN 1 ELSE 0 END,
		  followed_at = CASE WHEN f.follower IS NULL THEN NULL WHEN f.follower IS DISTINCT FROM c.follower_id THEN now() ELSE c.followed_at END,
		  closed_at = CASE WHEN f.state = 'closed' THEN c.closed_at END,
		  armed_until = COALESCE(f.armed, c.armed_until)
		FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::smallint[], $8::bigint[], $9::timestamptz[])
		  AS f(id, state, follower, customer, last, waiting, level, heard, armed)
		WHERE c.id = f.id`, b.order, states, followers, customer, last, waiting, levels, heard, armed)
	if err != nil {
		return fmt.Errorf("write conversations: %w", err)
	}
	return promiseLooks(ctx, tx, woken)
}

// wakes says whether the conversation's run has to look earlier than it would:
// there is none yet, or a level of the waiting badge begins before (next, zero:
// none does).
func (t *heardTalk) wakes(next, now time.Time) bool {
	switch {
	case t.State == omniflow.Closed:
		return false
	case t.ArmedUntil.IsZero():
		return t.Was.State == omniflow.NoConversation || t.Was.State == omniflow.Closed || !next.IsZero()
	}
	return !next.IsZero() && t.ArmedUntil.After(next) && t.ArmedUntil.After(now)
}

// arm says when the run that is promised looks by itself. One that begins with
// nothing to do but wait is told so, and sleeps at once: whoever changes
// something before that moment tells it. Any other looks at once.
func (t *heardTalk) arm(now time.Time) *time.Time {
	if !t.ArmedUntil.IsZero() || len(t.Replies) > 0 || t.WaitingSince.IsZero() {
		return &now
	}
	t.Opening = t.Talk.Opening(t.Channel, now)
	return &t.Opening.Next
}

// promiseLooks promises a signal to the run of each conversation.
func promiseLooks(ctx context.Context, tx pgx.Tx, woken []*heardTalk) error {
	if len(woken) == 0 {
		return nil
	}
	n := len(woken)
	ids, teams, conversations, runs, inputs := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]string, n), make([]string, n)
	for i, t := range woken {
		input, err := json.Marshal(omniflow.ServeConversationInput{Channel: t.Channel, Turn: t.Opening,
			ConversationRef: omniflow.ConversationRef{TeamID: t.TeamID, ConversationID: t.ID}})
		if err != nil {
			return err
		}
		ids[i], teams[i], conversations[i], runs[i], inputs[i] = newID(), t.TeamID, t.ID, omniflow.ServeConversationID(t.TeamID, t.ID), string(input)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary, conversation_id)
		SELECT f.id, f.team, $6, f.run, f.input::jsonb, $7, concat('conversation on ', f.input::jsonb->>'channel'), f.conversation
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[]) AS f(id, team, run, input, conversation)`,
		ids, teams, runs, inputs, conversations, omniflow.ServeConversationRun, omniflow.SignalChanged)
	if err != nil {
		return fmt.Errorf("wake conversations: %w", err)
	}
	return nil
}

func (b *heardBatch) writeMessages(ctx context.Context, tx pgx.Tx) error {
	n := len(b.messages)
	ids, teams, conversations, accounts := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	providers, kinds, bodies, received, quoted := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	sent := make([]time.Time, n)
	for i, m := range b.messages {
		ids[i], teams[i], conversations[i], accounts[i] = m.ID, m.TeamID, m.Conversation, m.ChannelAccountID
		providers[i], kinds[i], received[i], quoted[i], sent[i] = m.ProviderID, m.Kind, storable(string(m.Received)), m.QuotedID, m.At
		body, err := json.Marshal(inboundBody(m.CustomerMessage))
		if err != nil {
			return err
		}
		bodies[i] = string(body)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO inbound_messages (id, team_id, conversation_id, channel_account_id, provider_id, kind, body, sent_at, received, quoted_id, received_at)
		SELECT f.id, f.team, f.conversation, f.account, f.provider, f.kind, f.body::jsonb, f.sent, f.received, f.quoted, $11
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::text[])
		  AS f(id, team, conversation, account, provider, kind, body, sent, received, quoted)`,
		ids, teams, conversations, accounts, providers, kinds, bodies, sent, received, quoted, b.now)
	if err != nil {
		return fmt.Errorf("store customer messages: %w", err)
	}
	return nil
}

// writeMedia notes the files that are still to be fetched.
func (b *heardBatch) writeMedia(ctx context.Context, tx pgx.Tx) error {
	for _, m := range b.messages {
		if err := noteInboundMedia(ctx, tx, m.ID, m.CustomerMessage); err != nil {
			return err
		}
	}
	return nil
}

func (b *heardBatch) writeLog(ctx context.Context, tx pgx.Tx) error {
	n := len(b.log)
	if n == 0 {
		return nil
	}
	ids, teams, conversations, actions := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	events, details := make([]string, n), make([]string, n)
	for i, e := range b.log {
		ids[i], teams[i], conversations[i], actions[i], events[i] = newID(), e.TeamID, e.ConversationID, e.ActionID, e.Event
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return err
		}
		details[i] = string(detail)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO conversation_log (id, team_id, conversation_id, action_id, kind, event, detail)
		SELECT f.id, f.team, f.conversation, f.action, 'log', f.event, f.detail::jsonb
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[]) AS f(id, team, conversation, action, event, detail)`,
		ids, teams, conversations, actions, events, details)
	if err != nil {
		return fmt.Errorf("write conversation log: %w", err)
	}
	return nil
}

// earlier are the messages of ours that readEarlier may mark.
func (b *heardBatch) earlier(ctx context.Context, tx pgx.Tx) ([]uuid.UUID, error) {
	var conversations []uuid.UUID
	for _, m := range b.messages {
		if m.Channel == omniflow.LINE && m.GroupID == "" && m.Conversation != uuid.Nil && !m.Blocked {
			conversations = append(conversations, m.Conversation)
		}
	}
	if len(conversations) == 0 {
		return nil, nil
	}
	rows, _ := tx.Query(ctx, `SELECT id FROM messages WHERE conversation_id = ANY ($1) AND state IN ('sent', 'received')`, conversations)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find earlier messages: %w", err)
	}
	return ids, nil
}

// readEarlier marks what we sent on LINE before the customer wrote as read
// (MSG-03). What was sent since the messages were locked, and is held by
// somebody, is left to the next time.
func (b *heardBatch) readEarlier(ctx context.Context, tx pgx.Tx) error {
	newest := map[uuid.UUID]time.Time{}
	for _, m := range b.messages {
		if m.Channel == omniflow.LINE && m.GroupID == "" && m.At.After(newest[m.Conversation]) {
			newest[m.Conversation] = m.At
		}
	}
	var ids []uuid.UUID
	var at []time.Time
	for id, t := range newest {
		ids, at = append(ids, id), append(at, t)
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		WITH earlier AS (
		  SELECT m.id, f.at FROM unnest($1::uuid[], $2::timestamptz[]) AS f(id, at)
		  JOIN messages m ON m.conversation_id = f.id AND m.state IN ('sent', 'received') AND m.attempted_at <= f.at FOR UPDATE OF m SKIP LOCKED)
		UPDATE messages m SET state = 'read', read_at = COALESCE(m.read_at, e.at) FROM earlier e WHERE m.id = e.id`, ids, at)
	if err != nil {
		return fmt.Errorf("mark earlier messages read: %w", err)
	}
	return nil
}

// queueReplies queues the automatic replies, in order.
func (b *heardBatch) queueReplies(ctx context.Context, tx pgx.Tx) error {
	for _, id := range b.order {
		for _, reply := range b.talks[id].Replies {
			if err := queueConversationMessage(ctx, tx, reply); err != nil {
				return err
			}
		}
	}
	return nil
}
