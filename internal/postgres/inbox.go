package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// DrainInbox takes up to limit webhook requests, oldest first, lets read turn
// them into an intake, and applies it, all in one transaction: whoever dies
// in between leaves the inbox as it was, and doing it again changes nothing
// twice. Several relays may drain at once; each item goes to one of them.
func (s *Store) DrainInbox(ctx context.Context, limit int, read func([]omniflow.InboxItem) omniflow.Intake) (omniflow.IntakeResult, error) {
	var result omniflow.IntakeResult
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT id, team_id, channel, channel_account_id, body, received_at FROM inbox
			WHERE processed_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`, limit)
		if err != nil {
			return err
		}
		items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.InboxItem])
		if err != nil || len(items) == 0 {
			return err
		}
		if result, err = applyIntake(ctx, tx, read(items)); err != nil {
			return err
		}
		result.Items = len(items)
		ids := make([]int64, len(items))
		for i, item := range items {
			ids[i] = item.ID
		}
		_, err = tx.Exec(ctx, `UPDATE inbox SET processed_at = now() WHERE id = ANY ($1)`, ids)
		return err
	})
	if err != nil {
		return omniflow.IntakeResult{}, fmt.Errorf("drain inbox: %w", err)
	}
	return result, nil
}

// applyIntake applies what a batch of webhooks said.
func applyIntake(ctx context.Context, tx pgx.Tx, in omniflow.Intake) (omniflow.IntakeResult, error) {
	var result omniflow.IntakeResult
	found, dead, err := resolveClues(ctx, tx, in.Clues)
	if err != nil {
		return result, err
	}
	in.Dead = append(in.Dead, dead...)
	for _, evidence := range []omniflow.Evidence{omniflow.Sent, omniflow.Failed, omniflow.Received, omniflow.Read} {
		changed, err := mergeIn(ctx, tx, onlyOnce(append(in.Statuses, found...), evidence))
		if err != nil {
			return result, err
		}
		result.Changed += changed
	}
	lost, err := lostStatuses(ctx, tx, in.Statuses)
	if err != nil {
		return result, err
	}
	in.Dead = append(in.Dead, lost...)
	if result.Messages, dead, err = storeCustomerMessages(ctx, tx, in.Messages); err != nil {
		return result, err
	}
	in.Dead = append(in.Dead, dead...)
	result.Dead = len(in.Dead)
	return result, bury(ctx, tx, in.Dead)
}

// onlyOnce keeps the first status of each message with one kind of evidence.
func onlyOnce(statuses []omniflow.Status, evidence omniflow.Evidence) []omniflow.Status {
	type key struct {
		message uuid.UUID
		attempt int
	}
	seen := map[key]bool{}
	var out []omniflow.Status
	for _, s := range statuses {
		k := key{message: s.MessageID}
		if evidence == omniflow.Failed {
			k.attempt = s.Attempt
		}
		if s.State == evidence && !seen[k] {
			seen[k] = true
			out = append(out, s)
		}
	}
	return out
}

// lostStatuses are those that name a message we do not have.
func lostStatuses(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) ([]omniflow.DeadLetter, error) {
	ids := make([]uuid.UUID, len(statuses))
	for i, s := range statuses {
		ids[i] = s.MessageID
	}
	rows, err := tx.Query(ctx, `SELECT i.id FROM unnest($1::uuid[]) AS i(id) WHERE NOT EXISTS (SELECT FROM messages m WHERE m.id = i.id)`, ids)
	if err != nil {
		return nil, fmt.Errorf("look for lost statuses: %w", err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	gone := map[uuid.UUID]bool{}
	for _, id := range missing {
		gone[id] = true
	}
	var dead []omniflow.DeadLetter
	for _, s := range statuses {
		if gone[s.MessageID] {
			dead = append(dead, omniflow.DeadLetter{TeamID: s.TeamID, ChannelAccountID: s.ChannelAccountID, Reason: omniflow.MessageUnknown, Event: s.Raw})
		}
	}
	return dead, nil
}

// bury stores dead letters.
func bury(ctx context.Context, tx pgx.Tx, dead []omniflow.DeadLetter) error {
	for _, d := range dead {
		_, err := tx.Exec(ctx, `
			INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event)
			SELECT $1, $2, a.channel, a.id, $4, $5 FROM channel_accounts a WHERE a.id = $3`,
			newID(), d.TeamID, d.ChannelAccountID, string(d.Reason), string(d.Event))
		if err != nil {
			return fmt.Errorf("store dead letter: %w", err)
		}
	}
	return nil
}
