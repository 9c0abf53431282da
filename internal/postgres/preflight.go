package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Preflight is what a request would become if it were planned now.
type Preflight struct {
	Lanes    []PreflightLane
	Verdicts []Verdict // one page, lane by lane in sending order
}

// PreflightLane is one channel account's part.
type PreflightLane struct {
	ChannelAccountID uuid.UUID
	Channel          omniflow.Channel
	AccountName      string
	StopCode         string
	Limiter          omniflow.LimiterName
	BulkRate         float64 // calls per second for broadcasts
	ClosedUntil      *time.Time
	Recipients       int
	Eligible         int
	Rows             int                   // ledger rows of those who are eligible
	Codes            map[omniflow.Code]int // recipients who would be skipped, by reason
	Quota            *omniflow.Quota       `db:"-"`
}

// Verdict is what becomes of one recipient: Code "" may be sent to.
type Verdict struct {
	ConversationID   uuid.UUID
	CustomerID       string
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	Place            int
	Code             omniflow.Code
}

// PreflightQuery asks for a preflight and one page of its verdicts, behind
// (AfterAccount, AfterPlace). Barred channels take nothing of the content, for
// BarredCode.
type PreflightQuery struct {
	TeamID, ActorID uuid.UUID
	Request         omniflow.BroadcastRequest
	Barred          []omniflow.Channel
	BarredCode      omniflow.Code
	AfterAccount    uuid.UUID
	AfterPlace      int // -1: from the beginning
	Limit           int
}

// barredToo is judged as final: who is on a barred channel cannot be sent to.
const barredToo = `, final AS (
  SELECT id, channel_account_id, channel, parts, place, CASE WHEN code = '' AND channel = ANY(@barred::text[]) THEN @barred_code ELSE code END AS code FROM judged
)`

// Preflight judges an audience by the statement that plans it, and changes
// nothing. A page costs as much as the whole: the audience may change between
// two.
func (s *Store) Preflight(ctx context.Context, q PreflightQuery) (Preflight, error) {
	var out Preflight
	args := ruleArgs(audienceArgs(q.TeamID, q.ActorID, q.Request.Audience), q.Request)
	barred := make([]string, len(q.Barred))
	for i, ch := range q.Barred {
		barred[i] = string(ch)
	}
	args["barred"], args["barred_code"] = barred, string(q.BarredCode)
	args["after_account"], args["after_place"], args["limit"] = q.AfterAccount, q.AfterPlace, q.Limit
	err := s.inTeam(ctx, q.TeamID, func(tx pgx.Tx) (err error) {
		if out.Lanes, err = preflightLanes(ctx, tx, q, args); err != nil {
			return fmt.Errorf("preflight lanes: %w", err)
		}
		rows, _ := tx.Query(ctx, `
WITH `+judgedAudience(q.Request.Audience)+barredToo+`
SELECT f.id AS conversation_id, k.customer_id, f.channel, f.channel_account_id, f.place, f.code FROM final f
JOIN conversations c ON c.id = f.id JOIN contacts k ON k.id = c.contact_id
WHERE (f.channel_account_id, f.place) > (@after_account, @after_place) ORDER BY f.channel_account_id, f.place LIMIT @limit`, args)
		if out.Verdicts, err = pgx.CollectRows(rows, pgx.RowToStructByName[Verdict]); err != nil {
			return fmt.Errorf("preflight verdicts: %w", err)
		}
		return nil
	})
	return out, err
}

func preflightLanes(ctx context.Context, tx pgx.Tx, q PreflightQuery, args pgx.NamedArgs) ([]PreflightLane, error) {
	args["line_limiter"] = string(omniflow.LimiterOf(omniflow.LINE, q.Request.Messages))
	rows, _ := tx.Query(ctx, `
WITH `+judgedAudience(q.Request.Audience)+barredToo+`, counted AS (
  SELECT channel_account_id, code, count(*) AS n, sum(parts) AS rows FROM final GROUP BY 1, 2
), lanes AS (
  SELECT channel_account_id, sum(n) AS recipients, COALESCE(sum(n) FILTER (WHERE code = ''), 0) AS eligible,
    COALESCE(sum(rows) FILTER (WHERE code = ''), 0) AS rows,
    COALESCE(jsonb_object_agg(code, n) FILTER (WHERE code <> ''), '{}') AS codes FROM counted GROUP BY 1
)
SELECT l.channel_account_id, a.channel, a.name AS account_name, CASE WHEN a.state = 'stopped' THEN a.stop_code ELSE '' END AS stop_code,
  COALESCE(r.name, '') AS limiter, COALESCE(r.rate_now * (1 - r.reserve), 0) AS bulk_rate, r.closed_until, l.recipients, l.eligible, l.rows, l.codes
FROM lanes l JOIN channel_accounts a ON a.id = l.channel_account_id
LEFT JOIN LATERAL (
  SELECT name, reserve, `+rateNow+` AS rate_now, CASE WHEN closed_until > now() THEN closed_until END AS closed_until
  FROM limiters WHERE channel_account_id = a.id ORDER BY name = @line_limiter DESC LIMIT 1) r ON true
ORDER BY a.channel, a.id`, args)
	lanes, err := pgx.CollectRows(rows, pgx.RowToStructByName[PreflightLane])
	for i := range lanes {
		if err == nil {
			lanes[i].Quota, err = quotaOf(ctx, tx, q.TeamID, lanes[i].ChannelAccountID)
		}
	}
	return lanes, err
}
