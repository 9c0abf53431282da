package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omniflow/internal/omniflow"
)

// DrainInbox takes up to limit webhook requests, oldest first, lets read turn
// them into an intake, and applies it, all in one transaction: whoever dies
// in between leaves the inbox as it was, and doing it again changes nothing
// twice. Several relays may drain at once; each item goes to one of them.
//
// When the database refuses something in a batch, its items are applied one by
// one, each in a transaction of its own, and the one refused is a dead letter:
// it must not keep the others waiting for ever.
func (s *Store) DrainInbox(ctx context.Context, limit int, read func([]omniflow.InboxItem) omniflow.Intake) (omniflow.IntakeResult, error) {
	result, err := s.drainInbox(ctx, limit, read)
	if refusedData(err) {
		result, err = omniflow.IntakeResult{}, nil
		for range limit {
			one, failed := s.drainInbox(ctx, 1, read)
			if err = failed; err != nil || one.Items == 0 {
				break
			}
			result.Items, result.Changed, result.Messages = result.Items+one.Items, result.Changed+one.Changed, result.Messages+one.Messages
			result.Blocked, result.Groups, result.Dead = result.Blocked+one.Blocked, result.Groups+one.Groups, result.Dead+one.Dead
		}
	}
	if err != nil {
		return result, fmt.Errorf("drain inbox: %w", err)
	}
	return result, nil
}

func (s *Store) drainInbox(ctx context.Context, limit int, read func([]omniflow.InboxItem) omniflow.Intake) (omniflow.IntakeResult, error) {
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
		if result, err = applyItems(ctx, tx, items, read); err != nil {
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
		return omniflow.IntakeResult{}, err
	}
	return result, nil
}

// unheardScan bounds how far unheard looks.
const unheardScan = 1000

// unheard says whether a webhook of the team that came by then has not been
// read; a team whose place in a long backlog is not known counts as such.
func unheard(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, then time.Time) (bool, error) {
	var waits bool
	err := tx.QueryRow(ctx, `
SELECT COALESCE(bool_or(i.team_id = $1 AND i.received_at <= $2) OR count(*) = $3 AND max(i.received_at) <= $2, false)
FROM (SELECT team_id, received_at FROM inbox WHERE processed_at IS NULL ORDER BY id LIMIT $3) i`, teamID, then, unheardScan).Scan(&waits)
	if err != nil {
		return false, fmt.Errorf("look for webhooks that wait: %w", err)
	}
	return waits, nil
}

// applyItems applies a batch. An item that comes alone and is refused becomes a
// dead letter.
func applyItems(ctx context.Context, tx pgx.Tx, items []omniflow.InboxItem, read func([]omniflow.InboxItem) omniflow.Intake) (omniflow.IntakeResult, error) {
	var result omniflow.IntakeResult
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		result, err = applyIntake(ctx, tx, read(items))
		return err
	})
	if len(items) > 1 || !refusedData(err) {
		return result, err
	}
	item := items[0]
	dead := omniflow.DeadLetter{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, Reason: omniflow.EventUnstorable, Event: item.Body}
	return omniflow.IntakeResult{Dead: 1}, bury(ctx, tx, []omniflow.DeadLetter{dead})
}

// refusedData says that the database will never take this: a data exception
// or an integrity violation.
func refusedData(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (strings.HasPrefix(server.Code, "22") || strings.HasPrefix(server.Code, "23"))
}

// mergeAll applies statuses of messages that are locked, one kind of evidence
// after the other, and returns how many rows changed state.
func mergeAll(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) (int, error) {
	sum := 0
	statuses, err := noteReceipts(ctx, tx, statuses)
	if err != nil {
		return 0, err
	}
	proofs := proofs{}
	for _, evidence := range []omniflow.Evidence{omniflow.Sent, omniflow.Failed, omniflow.Received, omniflow.Read} {
		changed, err := mergeIn(ctx, tx, onlyOnce(statuses, evidence), proofs)
		if err != nil {
			return 0, err
		}
		sum += changed
	}
	return sum, proofs.store(ctx, tx)
}

// onlyOnce keeps one status of each message with one kind of evidence: of the
// newest attempt, for a failure of any other is void, the first.
func onlyOnce(statuses []omniflow.Status, evidence omniflow.Evidence) []omniflow.Status {
	type key struct{ account, message uuid.UUID }
	place := map[key]int{}
	var out []omniflow.Status
	for _, s := range statuses {
		if s.State != evidence {
			continue
		}
		k := key{s.ChannelAccountID, s.MessageID}
		if i, seen := place[k]; !seen {
			place[k] = len(out)
			out = append(out, s)
		} else if s.Attempt > out[i].Attempt {
			out[i] = s
		}
	}
	return out
}

// lostStatuses are those that name a message which their account did not send.
func lostStatuses(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) ([]omniflow.DeadLetter, error) {
	places := make([]int32, len(statuses))
	ids, accounts := make([]uuid.UUID, len(statuses)), make([]uuid.UUID, len(statuses))
	for i, s := range statuses {
		places[i], ids[i], accounts[i] = int32(i), s.MessageID, s.ChannelAccountID
	}
	rows, err := tx.Query(ctx, `
		SELECT i.place FROM unnest($1::integer[], $2::uuid[], $3::uuid[]) AS i(place, id, account)
		WHERE NOT EXISTS (SELECT FROM messages m WHERE m.id = i.id AND m.channel_account_id = i.account) ORDER BY i.place`, places, ids, accounts)
	if err != nil {
		return nil, fmt.Errorf("look for lost statuses: %w", err)
	}
	lost, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil, fmt.Errorf("look for lost statuses: %w", err)
	}
	var dead []omniflow.DeadLetter
	for _, i := range lost {
		s := statuses[i]
		dead = append(dead, omniflow.DeadLetter{TeamID: s.TeamID, ChannelAccountID: s.ChannelAccountID, Reason: omniflow.MessageUnknown, Event: s.Raw})
	}
	return dead, nil
}

// bury stores dead letters, each event once while it is open: providers repeat
// what belongs to nothing as well. One that holds nothing is no other's equal.
func bury(ctx context.Context, tx pgx.Tx, dead []omniflow.DeadLetter) error {
	for _, d := range dead {
		_, err := tx.Exec(ctx, `
			INSERT INTO dead_letters (id, team_id, channel, channel_account_id, reason, event)
			SELECT $1, $2, a.channel, a.id, $4, $5 FROM channel_accounts a WHERE a.id = $3
			  AND ($5::jsonb = '{}' OR NOT EXISTS (SELECT FROM dead_letters d WHERE d.channel_account_id = a.id AND d.replayed_at IS NULL
			    AND md5(d.event::text) = md5($5::jsonb::text) AND d.reason = $4))`,
			newID(), d.TeamID, d.ChannelAccountID, string(d.Reason), storableJSON(d.Event))
		if err != nil {
			return fmt.Errorf("store dead letter: %w", err)
		}
	}
	return nil
}
