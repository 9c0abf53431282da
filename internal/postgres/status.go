package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"omniflow/internal/omniflow"
)

// lattice is omniflow.Merges as a VALUES list: the rule stays in one place.
func lattice() string {
	var b strings.Builder
	for i, row := range omniflow.Merges() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "('%s', '%s', '%s')", row[0], row[1], row[2])
	}
	return b.String()
}

// mergeStatuses applies evidence to the ledger, one row a message and
// evidence kind collapsed by the caller. A failure counts only for the
// attempt that failed. A row given up as outcome_unknown is still unknown to
// evidence. The first evidence about a message also counts as a proof,
// but for a watermark, which is weak: it says nothing about a message that we
// do not know to be accepted, so it cannot prove that such news would come.
var mergeStatuses = `
WITH e AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bool[])
    AS e(account, message, attempt, evidence, at, provider_id, code, weak)
), target AS (
  SELECT m.id, m.team_id, m.channel_account_id, m.attempted_at, m.confirmed_at IS NULL AND NOT e.weak AS first, e.*, l.next
  FROM e JOIN messages m ON m.id = e.message AND m.channel_account_id = e.account
  LEFT JOIN (VALUES ` + lattice() + `) AS l(state, evidence, next)
    ON l.state = CASE WHEN m.state = 'failed' AND m.code = 'outcome_unknown' THEN 'unknown' ELSE m.state::text END
   AND l.evidence = e.evidence AND (e.evidence <> 'failed' OR e.attempt = m.attempt)
), merged AS (
  UPDATE messages m SET
    state        = COALESCE(t.next, m.state::text)::message_state,
    code         = CASE WHEN t.next = 'failed' THEN t.code WHEN t.next IS NOT NULL THEN NULL ELSE m.code END,
    due_at       = CASE WHEN t.next IS NOT NULL THEN NULL ELSE m.due_at END,
    provider_id  = COALESCE(m.provider_id, NULLIF(t.provider_id, '')),
    sent_at      = CASE WHEN t.evidence <> 'failed' THEN COALESCE(m.sent_at, t.at) ELSE m.sent_at END,
    received_at  = CASE WHEN t.evidence = 'received' THEN COALESCE(m.received_at, t.at) ELSE m.received_at END,
    read_at      = CASE WHEN t.evidence = 'read' THEN COALESCE(m.read_at, t.at) ELSE m.read_at END,
    confirmed_at = CASE WHEN t.weak THEN m.confirmed_at ELSE COALESCE(m.confirmed_at, now()) END
  FROM target t WHERE m.id = t.id AND (t.next IS NOT NULL OR t.first)
  RETURNING m.id, t.team_id, t.channel_account_id, t.attempted_at, t.first, t.next, t.evidence, t.at, t.code, t.attempt
), noted AS (
  INSERT INTO message_events (message_id, team_id, state, at, code, attempt)
  SELECT id, team_id, evidence, at, COALESCE(code, ''), attempt FROM merged
)
SELECT channel_account_id, team_id, COALESCE(date_trunc('second', attempted_at), '-infinity'),
       count(*) FILTER (WHERE next IS NOT NULL), count(*) FILTER (WHERE first AND attempted_at IS NOT NULL)
FROM merged GROUP BY 1, 2, 3`

// lockMessages locks every message of an intake in one order, by a statement of
// its own: the merges then read the rows as they are. In one statement, a row
// that a recorder changes while the merge waits for it would be judged by its
// old state, and the evidence lost. The ids are joined, not compared with ANY:
// for each row that changed while it was waited for, ANY looks through all of
// them again, which took seconds for 5,000.
func lockMessages(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `SELECT FROM unnest($1::uuid[]) AS i(id) JOIN messages m USING (id) ORDER BY m.id FOR UPDATE OF m`, ids); err != nil {
		return fmt.Errorf("lock messages: %w", err)
	}
	return nil
}

// proofs counts the messages confirmed for the first time, by the second of
// their attempt.
type proofs map[proofKey]int

type proofKey struct {
	account, team uuid.UUID
	second        time.Time
}

// store adds the proofs to webhook_evidence, in one order, so that no two
// relays wait for each other.
func (p proofs) store(ctx context.Context, tx pgx.Tx) error {
	var accounts, teams []uuid.UUID
	var seconds []time.Time
	var counts []int
	for k, n := range p {
		accounts, teams, seconds, counts = append(accounts, k.account), append(teams, k.team), append(seconds, k.second), append(counts, n)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO webhook_evidence AS w (channel_account_id, team_id, second, confirmed)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::integer[]) AS p(account, team, second, n) ORDER BY 1, 3
		ON CONFLICT (channel_account_id, second) DO UPDATE SET confirmed = w.confirmed + excluded.confirmed`, accounts, teams, seconds, counts)
	if err != nil {
		return fmt.Errorf("store proofs: %w", err)
	}
	return nil
}

// mergeIn applies evidence whose message is known and locked. Repeating it, in
// any order, ends in the same states. It returns how many rows changed state.
func mergeIn(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status, p proofs) (int, error) {
	var accounts, messages []uuid.UUID
	var attempts []int16
	var evidence, providers, codes []string
	var at []time.Time
	var weak []bool
	for _, s := range statuses {
		accounts, messages, attempts = append(accounts, s.ChannelAccountID), append(messages, s.MessageID), append(attempts, int16(s.Attempt))
		evidence, providers = append(evidence, string(s.State)), append(providers, storable(s.ProviderID))
		codes, at, weak = append(codes, storable(string(s.Code))), append(at, s.At), append(weak, s.Weak)
	}
	sum := 0
	rows, err := tx.Query(ctx, mergeStatuses, accounts, messages, attempts, evidence, at, providers, codes, weak)
	if err != nil {
		return 0, fmt.Errorf("merge statuses: %w", err)
	}
	var k proofKey
	var second pgtype.Timestamptz
	var changed, first int
	_, err = pgx.ForEachRow(rows, []any{&k.account, &k.team, &second, &changed, &first}, func() error {
		sum += changed
		if k.second = second.Time; first > 0 {
			p[k] += first
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("merge statuses: %w", err)
	}
	return sum, nil
}
