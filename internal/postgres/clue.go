package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// findByClue finds the messages that evidence without our key is about. A
// watermark means every accepted message to that customer attempted before
// it. Otherwise the provider's id decides, or, for an echo whose id no row
// has yet, the text and the time: the newest attempt before it. A file has no
// text, and neither has its echo on Instagram; elsewhere an echo of ours has
// our key, and one without text is nobody's we know.
const findByClue = `
WITH e AS (
  SELECT * FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bool[], $7::bool[], $8::text[])
    AS e(place, account, recipient, provider_id, at, watermark, echo, text)
), near AS (
  SELECT e.place, e.watermark, e.provider_id AS wanted, e.at, e.echo, e.text, m.*
  FROM e JOIN channel_identities i ON i.channel_account_id = e.account AND i.external_id = e.recipient
  JOIN conversations c ON c.channel_identity_id = i.id
  JOIN messages m ON m.conversation_id = c.id AND m.channel_account_id = e.account
  WHERE m.attempted_at IS NOT NULL AND m.attempted_at <= e.at + interval '5 seconds'
)
SELECT place, id, attempt FROM near WHERE watermark AND state IN ('sent', 'received') AND attempted_at <= at
UNION ALL
SELECT place, id, attempt FROM (
  SELECT DISTINCT ON (n.place) n.place, n.id, n.attempt FROM near n
  WHERE NOT n.watermark AND (n.provider_id = n.wanted OR (
    n.echo AND n.provider_id IS NULL AND n.id <> ALL ($9) AND n.state IN ('sending', 'unknown', 'queued', 'sent', 'failed')
    AND n.attempted_at >= n.at - interval '25 hours'
    AND (n.text <> '' OR n.state IN ('sending', 'unknown', 'sent') AND EXISTS (
      SELECT FROM channel_accounts a WHERE a.id = n.channel_account_id AND a.channel = 'instagram'))
    AND EXISTS (SELECT FROM contents k WHERE k.id = n.content_id
      AND regexp_replace(btrim(replace(COALESCE(k.body -> 0 ->> 'text', ''), '` + omniflow.CustomerName + `', COALESCE(n.personal, ''))), '\s+', ' ', 'g') = regexp_replace(btrim(n.text), '\s+', ' ', 'g'))))
  ORDER BY n.place, (n.provider_id = n.wanted) DESC NULLS LAST, n.attempted_at DESC) found`

// lockEchoes lets one relay at a time match echoes to one customer's messages
// by what they hold, in one order, so that no two wait for each other.
const lockEchoes = `
SELECT count(pg_advisory_xact_lock(k)) FROM (
  SELECT DISTINCT hashtextextended(account::text || recipient, 0) AS k FROM unnest($1::uuid[], $2::text[], $3::bool[]) AS e(account, recipient, echo)
  WHERE echo ORDER BY k) locks`

// resolveClues turns clues into statuses. A clue that finds nothing is a dead
// letter, unless it is an echo of somebody else's message or a watermark. Of
// two echoes with one text the second is for later: it finds its own message
// when the first one's is in echoes, with the provider's id that it will have.
func resolveClues(ctx context.Context, tx pgx.Tx, clues []omniflow.Clue, echoes map[uuid.UUID]string) (found []omniflow.Status, dead []omniflow.DeadLetter, later []omniflow.Clue, err error) {
	if len(clues) == 0 {
		return nil, nil, nil, nil
	}
	rows, err := queryClues(ctx, tx, clues, slices.Collect(maps.Keys(echoes)))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("find messages by clue: %w", err)
	}
	hit := make([]bool, len(clues))
	var place, attempt int
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&place, &id, &attempt}, func() error {
		c := clues[place]
		hit[place] = true
		if provider, taken := echoes[id]; c.Echo && taken && provider != c.ProviderID {
			later = append(later, c)
			return nil
		} else if c.Echo {
			echoes[id] = c.ProviderID
		}
		c.MessageID, c.Attempt, c.Weak = id, attempt, c.Watermark
		found = append(found, c.Status)
		return nil
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("find messages by clue: %w", err)
	}
	if err := noteDoubts(ctx, tx, clues, hit); err != nil {
		return nil, nil, nil, err
	}
	for i, c := range clues {
		if !hit[i] && !c.Watermark && !c.Echo {
			dead = append(dead, omniflow.DeadLetter{TeamID: c.TeamID, ChannelAccountID: c.ChannelAccountID, Reason: omniflow.MessageUnknown, Event: c.Raw})
		}
	}
	return found, dead, later, nil
}

// queryClues asks for the messages of clues, but for those that an echo's text
// cannot mean any more: place in clues, id, attempt.
func queryClues(ctx context.Context, tx pgx.Tx, clues []omniflow.Clue, taken []uuid.UUID) (pgx.Rows, error) {
	var places []int32
	var accounts []uuid.UUID
	var recipients, providers, texts []string
	var at []time.Time
	var watermarks, echoes []bool
	for i, c := range clues {
		places, accounts, at = append(places, int32(i)), append(accounts, c.ChannelAccountID), append(at, c.At)
		recipients, providers = append(recipients, storable(c.Recipient)), append(providers, storable(c.ProviderID))
		texts = append(texts, storable(c.Text))
		watermarks, echoes = append(watermarks, c.Watermark), append(echoes, c.Echo)
	}
	if _, err := tx.Exec(ctx, lockEchoes, accounts, recipients, echoes); err != nil {
		return nil, err
	}
	return tx.Query(ctx, findByClue, places, accounts, recipients, providers, at, watermarks, echoes, texts, append([]uuid.UUID{}, taken...))
}

// noteDoubts keeps the clues that may be about a message of unknown outcome
// without saying so: an echo that matched nothing, and every watermark.
func noteDoubts(ctx context.Context, tx pgx.Tx, clues []omniflow.Clue, hit []bool) error {
	var accounts []uuid.UUID
	var recipients []string
	var at []time.Time
	for i, c := range clues {
		if c.Watermark || c.Echo && !hit[i] {
			accounts, recipients, at = append(accounts, c.ChannelAccountID), append(recipients, storable(c.Recipient)), append(at, c.At)
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO delivery_doubts (conversation_id, team_id, at)
		SELECT c.id, c.team_id, max(e.at) FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS e(account, recipient, at)
		JOIN channel_identities i ON i.channel_account_id = e.account AND i.external_id = e.recipient
		JOIN conversations c ON c.channel_identity_id = i.id
		WHERE EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.state IN ('sending', 'unknown')
		  AND m.attempted_at <= e.at + interval '5 seconds')
		GROUP BY 1, 2`, accounts, recipients, at)
	if err != nil {
		return fmt.Errorf("note doubts: %w", err)
	}
	return nil
}
