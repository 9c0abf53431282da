package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// ImportRow is one checked row of a customer file. No two rows of an import
// have the same account and external id.
type ImportRow struct {
	CustomerID       string
	Name             string
	Country          string
	Phone            string // E.164
	Email            string
	Store            string
	Tags             []string
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	ExternalID       string
	LastMessageAt    *time.Time
}

// ImportResult counts what an import did, in channel identities.
type ImportResult struct {
	Imported int // were not there before
	Updated  int
}

// importTable takes the rows on their way in; ids are for what is not there yet.
const importTable = `
CREATE TEMP TABLE import_rows (
  n integer PRIMARY KEY, contact_id uuid NOT NULL, identity_id uuid NOT NULL, conversation_id uuid NOT NULL,
  customer_id text NOT NULL, name text NOT NULL, country text NOT NULL, phone text NOT NULL, email text NOT NULL, store text NOT NULL,
  tags text[] NOT NULL, channel text NOT NULL, channel_account_id uuid NOT NULL, external_id text NOT NULL, last_message_at timestamptz
) ON COMMIT DROP`

// importColumns are the columns of importTable, in the order of importRow.
func importColumns() []string {
	return []string{"n", "contact_id", "identity_id", "conversation_id", "customer_id", "name", "country", "phone", "email", "store",
		"tags", "channel", "channel_account_id", "external_id", "last_message_at"}
}

// The statements of an import, in their order: $1 is the team, $2 the
// follower or null.
const (
	// adoptContacts gives the customer id to a contact that is known by its
	// channel identity only, so that the customer is not there twice.
	adoptContacts = `
UPDATE contacts c SET customer_id = r.customer_id
FROM (SELECT DISTINCT ON (customer_id) customer_id, channel_account_id, external_id FROM import_rows ORDER BY customer_id, n) r
JOIN channel_identities i ON i.channel_account_id = r.channel_account_id AND i.external_id = r.external_id
LEFT JOIN contacts o ON o.team_id = $1 AND o.customer_id = r.customer_id
WHERE c.id = i.contact_id AND c.team_id = $1 AND c.customer_id = '' AND o.id IS NULL`

	// saveContacts: of several rows of one customer the last one tells.
	saveContacts = `
INSERT INTO contacts (id, team_id, customer_id, name, country, phone, email, store, tags)
SELECT DISTINCT ON (customer_id) contact_id, $1, customer_id, name, country, phone, email, store, tags
FROM import_rows ORDER BY customer_id, n DESC
ON CONFLICT (team_id, customer_id) WHERE customer_id <> '' DO UPDATE SET
  name = excluded.name, country = excluded.country, phone = excluded.phone, email = excluded.email, store = excluded.store, tags = excluded.tags`

	saveIdentities = `
WITH saved AS (
  INSERT INTO channel_identities AS i (id, team_id, contact_id, channel_account_id, external_id)
  SELECT r.identity_id, $1, c.id, r.channel_account_id, r.external_id
  FROM import_rows r JOIN contacts c ON c.team_id = $1 AND c.customer_id = r.customer_id
  ON CONFLICT (channel_account_id, external_id) DO UPDATE SET contact_id = excluded.contact_id WHERE i.team_id = excluded.team_id
  RETURNING xmax = 0 AS fresh
) SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM saved`

	// saveConversations: a known conversation keeps its state unless the import
	// names a follower. One that becomes handling by it begins as by a step
	// (stepWrite.write), and its run is promised a signal ($3 to $5) if it has
	// something to time, a wait or a silence, and would sleep on (wakeNow): such
	// a row, and no other, has armed_until = now() afterwards.
	saveConversations = `
WITH saved AS (
  INSERT INTO conversations AS c (id, team_id, contact_id, channel_identity_id, channel_account_id, channel, state, follower_id, last_customer_message_at)
  SELECT r.conversation_id, $1, i.contact_id, i.id, r.channel_account_id, r.channel,
    CASE WHEN $2::uuid IS NULL THEN 'pending_human' ELSE 'handling' END, $2, r.last_message_at
  FROM import_rows r JOIN channel_identities i ON i.channel_account_id = r.channel_account_id AND i.external_id = r.external_id AND i.team_id = $1
  ON CONFLICT (channel_identity_id) DO UPDATE SET
    contact_id = excluded.contact_id,
    state = CASE WHEN $2::uuid IS NULL THEN c.state ELSE 'handling' END,
    follower_id = COALESCE($2, c.follower_id),
    followed_at = CASE WHEN $2 IS DISTINCT FROM c.follower_id AND $2 IS NOT NULL THEN now() ELSE c.followed_at END,
    last_customer_message_at = GREATEST(c.last_customer_message_at, excluded.last_customer_message_at),
    version = c.version + 1,
    closed_at = CASE WHEN $2 IS NULL THEN c.closed_at END,
    reminded_at = CASE WHEN $2 IS NULL OR c.state = 'handling' THEN c.reminded_at END,
    close_from = CASE WHEN $2 IS NOT NULL AND c.state = 'closed' THEN now() ELSE c.close_from END,
    last_human_reply_at = CASE WHEN $2 IS NULL OR c.state <> 'closed' THEN c.last_human_reply_at END,
    armed_until = CASE WHEN $2 IS NOT NULL AND c.state <> 'handling' AND (c.armed_until IS NULL OR c.armed_until > now())
      AND (c.waiting_since IS NOT NULL OR c.state <> 'closed' AND c.last_human_reply_at IS NOT NULL) THEN now() ELSE c.armed_until END
  RETURNING c.id, c.channel, c.armed_until
)
INSERT INTO outbox_signals (id, team_id, workflow, workflow_id, input, signal, summary, conversation_id)
SELECT uuid_v7(clock_timestamp(), row_number() OVER ()), $1, $3, $4 || id, jsonb_build_object('team_id', $1::uuid, 'conversation_id', id, 'channel', channel), $5,
  'conversation on ' || channel, id
FROM saved WHERE armed_until = now()`
)

// ImportContacts stores all rows or none: contacts by customer id, identities
// by account and external id, conversations by identity. With a follower every
// conversation becomes handling, followed by that member, and counts from now
// for automatic ending if it was closed; without one a new conversation is
// pending_human. Imports of one team wait for each other.
func (s *Store) ImportContacts(ctx context.Context, teamID uuid.UUID, follower *uuid.UUID, rows []ImportRow) (ImportResult, error) {
	var out ImportResult
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1::text, 0))`, teamID); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if err := copyRows(ctx, tx, rows); err != nil {
			return err
		}
		for _, statement := range []string{adoptContacts, saveContacts} {
			if _, err := tx.Exec(ctx, statement, teamID); err != nil {
				return fmt.Errorf("save contacts: %w", err)
			}
		}
		if err := tx.QueryRow(ctx, saveIdentities, teamID).Scan(&out.Imported, &out.Updated); err != nil {
			return fmt.Errorf("save identities: %w", err)
		}
		_, err := tx.Exec(ctx, saveConversations, teamID, follower,
			omniflow.ServeConversationRun, strings.TrimSuffix(omniflow.ServeConversationID(teamID, uuid.Nil), uuid.Nil.String()), omniflow.SignalChanged)
		if err != nil {
			return fmt.Errorf("save conversations: %w", err)
		}
		return nil
	})
	if err != nil {
		return ImportResult{}, fmt.Errorf("import contacts: %w", err)
	}
	return out, nil
}

// copyRows brings rows into the temporary table of the transaction.
func copyRows(ctx context.Context, tx pgx.Tx, rows []ImportRow) error {
	if _, err := tx.Exec(ctx, importTable); err != nil {
		return fmt.Errorf("make import table: %w", err)
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"import_rows"}, importColumns(), pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := rows[i]
		return []any{i, newID(), newID(), newID(), r.CustomerID, r.Name, r.Country, r.Phone, r.Email, r.Store,
			append([]string{}, r.Tags...), string(r.Channel), r.ChannelAccountID, r.ExternalID, r.LastMessageAt}, nil
	}))
	if err != nil {
		return fmt.Errorf("copy rows: %w", err)
	}
	if _, err := tx.Exec(ctx, `ANALYZE import_rows`); err != nil {
		return fmt.Errorf("analyze import table: %w", err)
	}
	return nil
}
