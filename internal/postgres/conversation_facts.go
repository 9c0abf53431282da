package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// servedRow is a conversation with what decides what is next for it.
type servedRow struct {
	Channel, Type, State                               string
	FollowerID, RuleID                                 *uuid.UUID
	LastCustomerAt, WaitingSince, ClosedAt, SurveyedAt *time.Time
	RepliedAt, CloseFrom, RemindedAt                   *time.Time
	SurveyText, Timezone                               string
	SurveyChannels                                     []string
	ReconcileAfter                                     time.Duration
	Pinned                                             bool
	Now                                                time.Time
}

// conversationFacts reads what a plan needs, of a conversation that is held,
// and the time of the database.
func conversationFacts(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef) (omniflow.ConversationFacts, time.Time, error) {
	var f omniflow.ConversationFacts
	rows, _ := tx.Query(ctx, `
SELECT c.channel, c.type, c.state, c.follower_id, r.id AS rule_id, c.last_customer_message_at AS last_customer_at, c.waiting_since, c.closed_at, c.surveyed_at,
  c.last_human_reply_at AS replied_at, c.close_from, c.reminded_at, t.survey_text, t.timezone, t.survey_channels, t.reconcile_after,
  EXISTS (SELECT FROM conversation_pins p WHERE p.conversation_id = c.id) AS pinned, clock_timestamp() AS now
FROM conversations c JOIN teams t ON t.team_id = c.team_id
LEFT JOIN auto_close_rules r ON r.team_id = c.team_id AND r.enabled AND c.channel = ANY (r.channels)
WHERE c.id = $1 LIMIT 1`, ref.ConversationID)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[servedRow])
	if err != nil {
		return f, row.Now, fmt.Errorf("load conversation: %w", err)
	}
	f = row.facts()
	if f.Messages, err = servedMessages(ctx, tx, ref); err != nil {
		return f, row.Now, err
	}
	if err := addSilence(ctx, tx, ref, row, &f); err != nil {
		return f, row.Now, err
	}
	f.WroteAfter, err = wroteAfter(ctx, tx, ref, f.Messages)
	return f, row.Now, err
}

func (r servedRow) facts() omniflow.ConversationFacts {
	zone, err := time.LoadLocation(r.Timezone)
	if err != nil {
		zone = time.UTC // a team's zone is checked when it is set
	}
	f := omniflow.ConversationFacts{Channel: omniflow.Channel(r.Channel), Type: omniflow.ConversationType(r.Type), State: omniflow.ConversationState(r.State),
		LastCustomerAt: r.LastCustomerAt, WaitingSince: orZero(r.WaitingSince), ClosedAt: orZero(r.ClosedAt), SurveyedAt: orZero(r.SurveyedAt),
		Survey: omniflow.Survey{Text: r.SurveyText, Channels: asChannels(r.SurveyChannels)}, ReconcileAfter: r.ReconcileAfter,
		Silence: omniflow.Silence{Zone: zone, RepliedAt: orZero(r.RepliedAt), From: orZero(r.CloseFrom), RemindedAt: orZero(r.RemindedAt), Pinned: r.Pinned}}
	if r.FollowerID != nil {
		f.FollowerID = *r.FollowerID
	}
	return f
}

func asChannels(names []string) []omniflow.Channel {
	out := make([]omniflow.Channel, len(names))
	for i, n := range names {
		out[i] = omniflow.Channel(n)
	}
	return out
}

// takenAt is when the channel took a message that left, by the database's
// clock, which also says when customers were heard: sent_at is of a worker's
// clock or the provider's, and is for people. It is no later than the truth.
const takenAt = `m.attempted_at + COALESCE(m.latency_ms, 0) * interval '1 millisecond'`

// servedMessages are those with which something is left to do, in order.
func servedMessages(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef) ([]omniflow.ServedMessage, error) {
	rows, _ := tx.Query(ctx, `
SELECT m.id, COALESCE(x.sender_id, '00000000-0000-0000-0000-000000000000'), x.origin, m.state::text, COALESCE(m.due_at, '0001-01-01 00:00:00+00'), COALESCE(m.attempted_at, '0001-01-01 00:00:00+00'),
  COALESCE(`+takenAt+`, '0001-01-01 00:00:00+00'), x.replied
FROM conversation_messages x JOIN messages m ON m.id = x.message_id
WHERE x.conversation_id = $1 AND x.done_at IS NULL ORDER BY x.place`, ref.ConversationID)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.ServedMessage])
	if err != nil {
		return nil, fmt.Errorf("load messages to serve: %w", err)
	}
	return out, nil
}

// addSilence fills in the rule of automatic ending and what became of its
// reminder.
func addSilence(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, r servedRow, f *omniflow.ConversationFacts) error {
	if r.RuleID == nil {
		return nil
	}
	rule, err := loadAutoClose(ctx, tx, ref.TeamID, *r.RuleID)
	var gone *omniflow.Refusal
	if errors.As(err, &gone) && gone.Code == omniflow.NotFound {
		return nil // deleted since its id was read
	}
	if err != nil {
		return err
	}
	f.Silence.Rule = &rule
	if r.RemindedAt == nil {
		return nil
	}
	var state omniflow.MessageState
	var at *time.Time
	err = tx.QueryRow(ctx, `
SELECT m.state::text, `+takenAt+` FROM conversation_messages x JOIN messages m ON m.id = x.message_id
WHERE x.conversation_id = $1 AND x.origin = 'reminder' ORDER BY x.place DESC LIMIT 1`, ref.ConversationID).Scan(&state, &at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("load reminder: %w", err)
	}
	f.Silence.ReminderSettled = errors.Is(err, pgx.ErrNoRows) || state.Settled()
	if state.Delivered() {
		f.Silence.ReminderSentAt = orZero(at)
	}
	return nil
}

// wroteAfter is when the customer wrote the first message that came in after
// the last human reply was taken: it is not answered by it, whatever the
// clocks of the provider say.
func wroteAfter(ctx context.Context, tx pgx.Tx, ref omniflow.ConversationRef, messages []omniflow.ServedMessage) (time.Time, error) {
	var last time.Time
	for _, m := range messages {
		if m.State.Delivered() && m.Origin == omniflow.OriginAgent && !m.Replied && m.SentAt.After(last) {
			last = m.SentAt
		}
	}
	if last.IsZero() {
		return last, nil
	}
	var at *time.Time
	err := tx.QueryRow(ctx, `
SELECT min(LEAST(sent_at, received_at)) FROM inbound_messages WHERE conversation_id = $1 AND received_at > $2 AND sent_at > $2 - interval '7 days'`,
		ref.ConversationID, last).Scan(&at)
	if err != nil {
		return last, fmt.Errorf("look for later messages: %w", err)
	}
	return orZero(at), nil
}
