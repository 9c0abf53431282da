package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omniflow/internal/omniflow"
)

// Account is a row of channel_accounts with its limiters.
type Account struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	Channel    omniflow.Channel
	Name       string
	ExternalID string
	WABAID     string `db:"waba_id"`
	Secrets    []byte // sealed
	State      string // active or stopped
	StopCode   string
	StoppedAt  *time.Time
	CreatedAt  time.Time
	Limiters   []Limiter `db:"-"`
}

// Limiter is a row of limiters, as an operator sees it.
type Limiter struct {
	ChannelAccountID uuid.UUID
	Name             string // messages or multicast
	LimitPerSecond   float64
	AccountLimit     *float64 // the account's own limit while a lane's rate is in force
	RateNow          float64  // at most the limit: lower after a throttle answer
	Reserve          float64  // share kept for interactive traffic
	ClosedUntil      *time.Time
	Reason           string
}

const (
	accountColumns = `id, team_id, channel, name, external_id, waba_id, secrets, state, stop_code, stopped_at, created_at`
	// rateNow is the rate with what it has crept back since it was last written.
	rateNow = `LEAST(limit_per_second, rate + limit_per_second * 0.05
    * GREATEST(0, extract(epoch FROM now() - GREATEST(adjusted_at, closed_until))))::float8`
	limiterColumns = `channel_account_id, name, limit_per_second, account_limit, ` + rateNow + ` AS rate_now, reserve,
  CASE WHEN closed_until > now() THEN closed_until END AS closed_until, reason`
)

// CreateAccount stores a and its limiters; one that is there under this id is
// left alone. Refusal channel_account_invalid: the provider's account is
// connected already, here or in another team.
func (s *Store) CreateAccount(ctx context.Context, a Account) error {
	err := s.inTeam(ctx, a.TeamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
INSERT INTO channel_accounts (id, team_id, channel, name, external_id, waba_id, secrets)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
			a.ID, a.TeamID, a.Channel, a.Name, a.ExternalID, a.WABAID, a.Secrets)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		for _, l := range a.Limiters {
			_, err := tx.Exec(ctx, `
INSERT INTO limiters (channel_account_id, name, team_id, limit_per_second, rate, reserve) VALUES ($1, $2, $3, $4, $4, $5)`,
				a.ID, l.Name, a.TeamID, l.LimitPerSecond, l.Reserve)
			if err != nil {
				return err
			}
		}
		return nil
	})
	var duplicate *pgconn.PgError
	if errors.As(err, &duplicate) && duplicate.Code == uniqueViolation {
		return omniflow.Refuse(omniflow.ChannelAccountInvalid, "SYS-13", "this %s account is connected already", a.Channel)
	}
	if err != nil {
		return fmt.Errorf("create channel account %s: %w", a.ID, err)
	}
	return nil
}

const uniqueViolation = "23505"

// LoadAccount loads one account of a team, or a Refusal not_found.
func (s *Store) LoadAccount(ctx context.Context, teamID, id uuid.UUID) (Account, error) {
	var out Account
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+accountColumns+` FROM channel_accounts WHERE team_id = $1 AND id = $2`, teamID, id)
		a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
		if err != nil {
			return oneRow(err, "channel account", id)
		}
		list := []Account{a}
		if err := addLimiters(ctx, tx, teamID, list); err != nil {
			return err
		}
		out = list[0]
		return nil
	})
	return out, err
}

// ListAccounts lists the accounts of a team with their limiters.
func (s *Store) ListAccounts(ctx context.Context, teamID uuid.UUID, page Page) ([]Account, error) {
	var out []Account
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+accountColumns+` FROM channel_accounts WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
			teamID, page.After, page.Limit)
		accounts, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
		if err != nil {
			return fmt.Errorf("list channel accounts: %w", err)
		}
		out = accounts
		return addLimiters(ctx, tx, teamID, out)
	})
	return out, err
}

// addLimiters fills in the limiters of accounts.
func addLimiters(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, accounts []Account) error {
	ids := make([]uuid.UUID, len(accounts))
	place := make(map[uuid.UUID]int, len(accounts))
	for i, a := range accounts {
		ids[i], place[a.ID] = a.ID, i
	}
	rows, _ := tx.Query(ctx, `
SELECT `+limiterColumns+` FROM limiters WHERE team_id = $1 AND channel_account_id = ANY($2) ORDER BY name`, teamID, ids)
	limiters, err := pgx.CollectRows(rows, pgx.RowToStructByName[Limiter])
	if err != nil {
		return fmt.Errorf("list limiters: %w", err)
	}
	for _, l := range limiters {
		a := &accounts[place[l.ChannelAccountID]]
		a.Limiters = append(a.Limiters, l)
	}
	return nil
}

// ResumeAccount lets a stopped account send again, at once also what waits for
// it, and opens its limiters; the audit log keeps who did so and why. Refusal
// not_found.
func (s *Store) ResumeAccount(ctx context.Context, teamID, id uuid.UUID, by By) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		var was string
		err := tx.QueryRow(ctx, `
UPDATE channel_accounts a SET state = 'active', stop_code = '', stopped_at = NULL
FROM channel_accounts old WHERE a.team_id = $1 AND a.id = $2 AND old.id = a.id RETURNING old.stop_code`, teamID, id).Scan(&was)
		if err != nil {
			return oneRow(err, "channel account", id)
		}
		_, err = tx.Exec(ctx, `
UPDATE limiters SET closed_until = '-infinity', reason = '' WHERE team_id = $1 AND channel_account_id = $2`, teamID, id)
		if err != nil {
			return fmt.Errorf("open limiters of %s: %w", id, err)
		}
		if err := sendWaiting(ctx, tx, teamID, id); err != nil {
			return err
		}
		return audit(ctx, tx, teamID, by.ActorID, "account.resume", id.String(), map[string]any{"reason": by.Reason, "code": was})
	})
}

// sendWaiting makes what waits outside broadcasts for accounts that tx has made
// active due now, and tells the runs that would sleep on. A claim that found an
// account stopped has either put its message off before, or looks again after
// tx (ClaimMessage). So a message that somebody holds is passed over instead of
// waited for: in the order of applyIntake messages come before accounts.
func sendWaiting(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, accounts ...uuid.UUID) error {
	rows, _ := tx.Query(ctx, `
WITH waiting AS (
  SELECT id FROM messages
  WHERE channel_account_id = ANY ($2) AND due_at > now() AND team_id = $1 AND state = 'queued' AND code = $3 AND broadcast_id IS NULL
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messages m SET due_at = now() FROM waiting w WHERE m.id = w.id RETURNING m.id, m.conversation_id`, teamID, accounts, string(omniflow.AccountStopped))
	var message, conversation uuid.UUID
	var messages, conversations []uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&message, &conversation}, func() error {
		messages, conversations = append(messages, message), append(conversations, conversation)
		return nil
	})
	if err != nil {
		return fmt.Errorf("make due what waits for accounts: %w", err)
	}
	if len(messages) == 0 {
		return nil
	}
	if err := wakeInvited(ctx, tx, messages); err != nil {
		return err
	}
	return wakeWaiting(ctx, tx, teamID, conversations)
}

// wakeWaiting holds those of ids that are conversations, and wakes their runs.
func wakeWaiting(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, ids []uuid.UUID) error {
	rows, _ := tx.Query(ctx, `SELECT team_id, id FROM conversations WHERE team_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE`, teamID, ids)
	refs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.ConversationRef])
	if err != nil {
		return fmt.Errorf("hold conversations that wait for accounts: %w", err)
	}
	for _, ref := range refs {
		if err := wakeConversation(ctx, tx, ref, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// SetAccountRate sets the limit of messages per second of an account, and the
// present rate to it, and ends what was set for lanes: the last order holds. It
// is entered in the audit log. Refusal not_found.
func (s *Store) SetAccountRate(ctx context.Context, teamID, id uuid.UUID, perSecond float64, by By) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM lane_rates WHERE team_id = $1 AND channel_account_id = $2 AND limiter = 'messages'`, teamID, id)
		if err != nil {
			return fmt.Errorf("end rates of lanes of %s: %w", id, err)
		}
		var was float64
		err = tx.QueryRow(ctx, `
UPDATE limiters l SET limit_per_second = $3, rate = $3, adjusted_at = now(), bulk_tat = LEAST(l.bulk_tat, clock_timestamp() + $4::interval),
  account_limit = NULL, set_by = $5, set_at = now()
FROM limiters old WHERE l.team_id = $1 AND l.channel_account_id = $2 AND l.name = 'messages'
  AND old.channel_account_id = l.channel_account_id AND old.name = l.name RETURNING COALESCE(old.account_limit, old.limit_per_second)`,
			teamID, id, perSecond, leasedWithin, orNil(by.ActorID)).Scan(&was)
		if err != nil {
			return oneRow(err, "channel account", id)
		}
		return audit(ctx, tx, teamID, by.ActorID, "account.rate", id.String(),
			map[string]any{"reason": by.Reason, "was": was, "rate_per_second": perSecond})
	})
}
