package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Broadcast is a broadcast as its operator sees it. Counts are derived from
// the ledger's rows in one statement.
type Broadcast struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	ActorID    uuid.UUID
	ActorName  string
	Kind       omniflow.BroadcastKind
	Client     omniflow.Client
	Name       string
	State      omniflow.BroadcastState
	Outcome    omniflow.Outcome
	WorkflowID string
	CreatedAt  time.Time
	PlannedAt  *time.Time
	FinishedAt *time.Time

	StartAt       *time.Time
	LateAfter     *time.Duration
	StartControl  omniflow.Control
	ControlReason string
	ControlBy     *uuid.UUID
	ControlByName string
	ControlAt     *time.Time
	RetryOf       *uuid.UUID
	Retries       []uuid.UUID     // broadcasts that repeat what failed here, oldest first
	Holds         []string        // the kinds of its contents (BRD-13)
	Lanes         []BroadcastLane `db:"-"`
}

// Waiting says why the broadcast has no lanes at now.
func (b Broadcast) Waiting(now time.Time) omniflow.Waiting {
	return omniflow.StartFacts{State: b.State, Control: b.StartControl, Reason: b.ControlReason, By: b.ControlBy, At: b.ControlAt,
		StartAt: b.StartAt, CreatedAt: b.CreatedAt}.Waiting(now)
}

// BroadcastLane is one channel account's part of a broadcast.
type BroadcastLane struct {
	BroadcastID      uuid.UUID
	ChannelAccountID uuid.UUID
	Channel          omniflow.Channel
	AccountName      string
	AccountState     string
	StopCode         string
	Control          omniflow.Control
	ControlReason    string
	ControlBy        *uuid.UUID
	ControlByName    string
	Recipients       int
	Planned          int
	Counts           json.RawMessage // rows by state, as an object
	LimitPerSecond   float64
	RateNow          float64
	ClosedUntil      *time.Time
	Reason           string
	AccountLimit     float64    // the account's own
	RateOf           *uuid.UUID // the broadcast whose lane's rate is in force; nil: the account's own is
	RateBy           *uuid.UUID // who set it; nil: nobody, or an operator in the Temporal UI
	RateByName       string
	RateAt           *time.Time
	ControlAt        *time.Time
	StoppedAt        *time.Time
	BeatAt           *time.Time
	PlannedAt        *time.Time
	Limiter          omniflow.LimiterName
	Booked           time.Duration
	BulkRate         float64 // what broadcasts get of RateNow
	BackingOff       int
	NextDue          *time.Time
	NextProof        *time.Time
	Hours            *omniflow.Hours
}

// Waiting says why the lane is not moving at now.
func (l BroadcastLane) Waiting(tally omniflow.Tally, now time.Time) omniflow.Waiting {
	return omniflow.LaneFacts{Tally: tally, Control: l.Control, ControlReason: l.ControlReason, ControlBy: l.ControlBy, ControlAt: l.ControlAt,
		StopCode: l.StopCode, StoppedAt: l.StoppedAt, ClosedUntil: l.ClosedUntil, ThrottleCode: l.Reason, Limiter: l.Limiter, RateNow: l.BulkRate,
		Booked: l.Booked, BackingOff: l.BackingOff, NextDue: l.NextDue, NextProof: l.NextProof, OpensAt: l.Hours.OpensAt(now), BeatAt: l.BeatAt, PlannedAt: l.PlannedAt}.Waiting(now)
}

// Tally is the lane's rows by state.
func (l BroadcastLane) Tally() (omniflow.Tally, error) {
	var counts map[omniflow.MessageState]int
	if err := json.Unmarshal(l.Counts, &counts); err != nil {
		return omniflow.Tally{}, fmt.Errorf("read counts of lane %s: %w", l.ChannelAccountID, err)
	}
	tally := omniflow.Tally{Planned: l.Planned}
	for state, n := range counts {
		tally.Add(state, n)
	}
	return tally, nil
}

const broadcastColumns = `id, team_id, actor_id, kind, client, name, state, outcome, workflow_id, created_at, planned_at, finished_at,
  start_at, late_after, start_control, control_reason, control_by, control_at, retry_of,
  COALESCE((SELECT m.name FROM members m WHERE m.team_id = broadcasts.team_id AND m.id = actor_id), '') AS actor_name,
  COALESCE((SELECT m.name FROM members m WHERE m.team_id = broadcasts.team_id AND m.id = control_by), '') AS control_by_name,
  ARRAY(SELECT r.id FROM broadcasts r WHERE r.retry_of = broadcasts.id ORDER BY r.id) AS retries, ` + kindsHeld + ` AS holds`

// kindsHeld are the kinds of what a broadcast sends, each once: those of its
// messages, of what their saved replies hold, and bot_module.
const kindsHeld = `ARRAY(
  SELECT m ->> 'kind' FROM jsonb_array_elements(request -> 'messages') m
  UNION SELECT c ->> 'kind' FROM jsonb_array_elements(request -> 'messages') m, jsonb_array_elements(COALESCE(m -> 'contents', '[]')) c
  UNION SELECT 'bot_module' FROM jsonb_array_elements(request -> 'messages') m WHERE m ? 'module' ORDER BY 1)`

// limiterByContent names the limiter of broadcast b on LINE. The request holds
// every text as it was frozen.
const limiterByContent = `CASE WHEN position('` + omniflow.CustomerName + `' IN (b.request -> 'messages')::text) > 0 THEN 'messages' ELSE 'multicast' END`

// lanesOf reads plan and counts in one snapshot, so that they always agree.
// While the plan is being made nothing counts yet. A lane's rate is that of
// the limiter its traffic waits for: LINE broadcasts go by multicast, but for
// those with a name in their text.
const lanesOf = `
WITH counted AS (
  SELECT broadcast_id, channel_account_id, ` + countsAsJSON + ` AS counts FROM (` + countsOfBroadcasts + `) c GROUP BY 1, 2
)
SELECT l.broadcast_id, l.channel_account_id, l.channel, a.name AS account_name, a.state AS account_state, a.stop_code,
  l.control, l.control_reason, l.control_by, COALESCE(cm.name, '') AS control_by_name,
  CASE WHEN b.planned_at IS NULL THEN 0 ELSE l.recipients END AS recipients,
  CASE WHEN b.planned_at IS NULL THEN 0 ELSE l.planned END AS planned,
  CASE WHEN b.planned_at IS NULL THEN '{}' ELSE COALESCE(m.counts, '{}') END AS counts,
  COALESCE(r.limit_per_second, 0) AS limit_per_second, COALESCE(r.rate_now, 0) AS rate_now, r.closed_until, COALESCE(r.reason, '') AS reason,
  COALESCE(r.account_limit, 0) AS account_limit, r.rate_of, r.rate_by, COALESCE(rm.name, '') AS rate_by_name, r.rate_at,
  l.control_at, CASE WHEN a.state = 'stopped' THEN a.stopped_at END AS stopped_at, l.beat_at, b.planned_at,
  COALESCE(r.name, '') AS limiter, COALESCE(r.booked, interval '0') AS booked, COALESCE(r.rate_now * (1 - r.reserve), 0) AS bulk_rate,
  COALESCE(w.backing_off, 0) AS backing_off, w.next_due, w.next_proof, b.request -> 'hours' AS hours
FROM broadcast_lanes l
JOIN broadcasts b ON b.id = l.broadcast_id
JOIN channel_accounts a ON a.id = l.channel_account_id
LEFT JOIN counted m ON m.broadcast_id = l.broadcast_id AND m.channel_account_id = l.channel_account_id
LEFT JOIN LATERAL (
  SELECT n.name, reserve, GREATEST(bulk_tat, now()) - now() AS booked, limit_per_second, ` + rateNow + ` AS rate_now, CASE WHEN closed_until > now() THEN closed_until END AS closed_until, reason,
    COALESCE(account_limit, limit_per_second) AS account_limit, o.broadcast_id AS rate_of,
    CASE WHEN account_limit IS NULL THEN n.set_by ELSE o.set_by END AS rate_by, CASE WHEN account_limit IS NULL THEN n.set_at ELSE o.set_at END AS rate_at
  FROM limiters n LEFT JOIN LATERAL (` + rateOfLanes + `) o ON account_limit IS NOT NULL
  WHERE n.channel_account_id = l.channel_account_id ORDER BY n.name = ` + limiterByContent + ` DESC LIMIT 1) r ON true
LEFT JOIN members cm ON cm.team_id = l.team_id AND cm.id = l.control_by
LEFT JOIN members rm ON rm.team_id = l.team_id AND rm.id = r.rate_by
LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE state = 'queued' AND due_at > now()) AS backing_off, min(due_at) FILTER (WHERE state = 'queued') AS next_due,
    min(due_at) FILTER (WHERE state = 'unknown') AS next_proof
  FROM messages WHERE channel_account_id = l.channel_account_id AND due_at IS NOT NULL AND broadcast_id IS NOT DISTINCT FROM l.broadcast_id
    AND b.finished_at IS NULL) w ON true
WHERE l.team_id = $1 AND l.broadcast_id = ANY($2) ORDER BY l.broadcast_id, l.channel, l.channel_account_id`

// LoadBroadcast loads one broadcast of a team with its lanes, or a Refusal not_found.
func (s *Store) LoadBroadcast(ctx context.Context, teamID, id uuid.UUID) (Broadcast, error) {
	var out Broadcast
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+broadcastColumns+` FROM broadcasts WHERE team_id = $1 AND id = $2`, teamID, id)
		b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Broadcast])
		if err != nil {
			return oneRow(err, "broadcast", id)
		}
		list := []Broadcast{b}
		if err := addLanes(ctx, tx, teamID, list); err != nil {
			return err
		}
		out = list[0]
		return nil
	})
	return out, err
}

// ListBroadcasts lists the broadcasts of a team with their lanes, newest first.
func (s *Store) ListBroadcasts(ctx context.Context, teamID uuid.UUID, page Page) ([]Broadcast, error) {
	if page.After == uuid.Nil {
		page.After = uuid.Max
	}
	var out []Broadcast
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+broadcastColumns+` FROM broadcasts WHERE team_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
			teamID, page.After, page.Limit)
		broadcasts, err := pgx.CollectRows(rows, pgx.RowToStructByName[Broadcast])
		if err != nil {
			return fmt.Errorf("list broadcasts: %w", err)
		}
		out = broadcasts
		return addLanes(ctx, tx, teamID, out)
	})
	return out, err
}

func addLanes(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, broadcasts []Broadcast) error {
	ids := make([]uuid.UUID, len(broadcasts))
	place := make(map[uuid.UUID]int, len(broadcasts))
	for i, b := range broadcasts {
		ids[i], place[b.ID] = b.ID, i
	}
	lanes, err := listLanes(ctx, tx, teamID, ids)
	if err != nil {
		return err
	}
	for _, l := range lanes {
		b := &broadcasts[place[l.BroadcastID]]
		b.Lanes = append(b.Lanes, l)
	}
	return nil
}

// querier is a transaction, or the pool.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// listLanes lists the lanes of broadcasts of a team.
func listLanes(ctx context.Context, q querier, teamID uuid.UUID, ids []uuid.UUID) ([]BroadcastLane, error) {
	rows, _ := q.Query(ctx, lanesOf, teamID, ids)
	lanes, err := pgx.CollectRows(rows, pgx.RowToStructByName[BroadcastLane])
	if err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	return lanes, nil
}
