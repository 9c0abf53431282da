package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// BroadcastJob is what a run needs to know of its broadcast.
func (s *Store) BroadcastJob(ctx context.Context, teamID, broadcastID uuid.UUID) (omniflow.BroadcastJob, error) {
	j := omniflow.BroadcastJob{TeamID: teamID, BroadcastID: broadcastID}
	var request []byte
	err := s.pool.QueryRow(ctx, `
		SELECT b.actor_id, b.request, b.planned_at IS NOT NULL, b.state, t.on_unknown, t.reconcile_after, t.give_up_after,
		  COALESCE(NULLIF((b.request ->> 'stop_failure_percent')::integer, 0), t.stop_failure_percent),
		  COALESCE(b.retry_of, '00000000-0000-0000-0000-000000000000'), COALESCE(b.retry, '{}')
		FROM broadcasts b JOIN teams t USING (team_id) WHERE b.team_id = $1 AND b.id = $2`, teamID, broadcastID).
		Scan(&j.ActorID, &request, &j.Planned, &j.State, &j.OnUnknown, &j.ReconcileAfter, &j.GiveUpAfter, &j.StopFailurePercent, &j.RetryOf, &j.Retry)
	if errors.Is(err, pgx.ErrNoRows) {
		return j, omniflow.Refuse(omniflow.NotFound, "SYS-13", "no such broadcast")
	}
	if err == nil {
		err = json.Unmarshal(request, &j.Request)
	}
	if err != nil {
		return j, fmt.Errorf("load broadcast %s: %w", broadcastID, err)
	}
	return j, nil
}

// BroadcastLanes lists the lanes of a planned broadcast.
func (s *Store) BroadcastLanes(ctx context.Context, teamID, broadcastID uuid.UUID) ([]omniflow.Lane, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT team_id, broadcast_id, channel_account_id, channel, planned FROM broadcast_lanes
		WHERE team_id = $1 AND broadcast_id = $2 ORDER BY channel, channel_account_id`, teamID, broadcastID)
	if err != nil {
		return nil, fmt.Errorf("list lanes of broadcast %s: %w", broadcastID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.Lane])
}

// planMessages freezes the audience: one row for each provider call each
// recipient is due, skipped at once where a check refuses it.
func planMessages(a omniflow.Audience) string {
	return `
WITH ` + judgedAudience(a) + `, planned AS (
  INSERT INTO messages (id, team_id, broadcast_id, channel_account_id, conversation_id, content_id, seq, ordinal, pieces, recipient, personal, state, code)
  SELECT uuid_v7(now(), row_number() OVER (ORDER BY a.channel_account_id, a.place, p.part)), @team_id, @broadcast_id, a.channel_account_id, a.id,
         content.id, a.place * a.parts + p.part - 1, p.part, content.pieces, a.external_id,
         CASE WHEN content.personal THEN a.name END,
         CASE WHEN a.code = '' THEN 'queued' ELSE 'skipped' END::message_state, NULLIF(a.code, '')
  FROM judged a
  CROSS JOIN generate_series(1, a.parts) AS p(part)
  JOIN unnest(@content_channels::text[], @content_parts::smallint[], @content_ids::uuid[], @content_pieces::smallint[], @content_personal::bool[])
    AS content(channel, part, id, pieces, personal)
    ON content.channel = a.channel AND content.part = p.part
  RETURNING channel_account_id, conversation_id
)
INSERT INTO broadcast_lanes (broadcast_id, channel_account_id, team_id, channel, planned, recipients)
SELECT @broadcast_id, a.id, @team_id, a.channel, count(*), count(DISTINCT p.conversation_id)
FROM planned p JOIN channel_accounts a ON a.id = p.channel_account_id GROUP BY a.id, a.channel`
}

// PlanBroadcast freezes the audience of a broadcast into ledger rows and
// lanes, once: planning again returns false and changes nothing. An order that
// comes meanwhile waits for nothing, and is obeyed by the lanes.
func (s *Store) PlanBroadcast(ctx context.Context, j omniflow.BroadcastJob) (bool, error) {
	planned := false
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var before bool
		if err := lockBroadcast(ctx, tx, j.BroadcastID); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT planned_at IS NOT NULL FROM broadcasts WHERE team_id = $1 AND id = $2`, j.TeamID, j.BroadcastID).Scan(&before)
		if err != nil || before {
			return err
		}
		planned = true
		if j.RetryOf != uuid.Nil {
			err = s.planRetry(ctx, tx, j)
		} else {
			err = s.planRows(ctx, tx, j)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			WITH b AS (
			  UPDATE broadcasts SET planned_at = clock_timestamp(), state = 'running' WHERE team_id = $1 AND id = $2
			  RETURNING id, start_control, control_reason, control_by, control_at
			)
			UPDATE broadcast_lanes l SET control = b.start_control, control_reason = b.control_reason, control_by = b.control_by, control_at = b.control_at
			FROM b WHERE l.broadcast_id = b.id AND b.start_control <> 'running'`, j.TeamID, j.BroadcastID)
		if err != nil {
			return err
		}
		return s.beginLaneRates(ctx, tx, j.TeamID, j.BroadcastID)
	})
	if err != nil {
		return false, fmt.Errorf("plan broadcast %s: %w", j.BroadcastID, err)
	}
	return planned, nil
}

// lockBroadcast lets one transaction at a time plan a broadcast or a retry of
// it. It does not lock the broadcast's row: orders go on.
func lockBroadcast(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 4))`, id.String())
	return err
}

// planRows stores the contents once a channel and part, then the rows.
func (s *Store) planRows(ctx context.Context, tx pgx.Tx, j omniflow.BroadcastJob) error {
	args := ruleArgs(audienceArgs(j.TeamID, j.ActorID, j.Request.Audience), j.Request)
	args["broadcast_id"] = j.BroadcastID
	if err := storeContents(ctx, tx, j, args); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, planMessages(j.Request.Audience), args); err != nil {
		return err
	}
	return planMedia(ctx, tx, j)
}

// storeContents stores what each channel is sent, part by part, with the links
// it holds, and adds the parameters that say so to args.
func storeContents(ctx context.Context, tx pgx.Tx, j omniflow.BroadcastJob, args pgx.NamedArgs) error {
	var domains []string
	if err := tx.QueryRow(ctx, `SELECT site_domains FROM teams WHERE team_id = $1`, j.TeamID).Scan(&domains); err != nil {
		return fmt.Errorf("load site of team %s: %w", j.TeamID, err)
	}
	var channels []string
	var parts, pieces []int16
	var personal []bool
	var ids []uuid.UUID
	for _, ch := range omniflow.BroadcastChannels {
		for n, contents := range omniflow.PartsOf(ch, j.Request.Messages) {
			id, links := newID(), omniflow.CountLinks(contents, domains)
			body, err := json.Marshal(contents)
			if err != nil {
				return fmt.Errorf("write content: %w", err)
			}
			_, err = tx.Exec(ctx, `INSERT INTO contents (id, team_id, body, official_links, other_links) VALUES ($1, $2, $3, $4, $5)`,
				id, j.TeamID, body, links.Official, links.Other)
			if err != nil {
				return fmt.Errorf("store content: %w", err)
			}
			channels, parts, ids = append(channels, string(ch)), append(parts, int16(n+1)), append(ids, id)
			pieces, personal = append(pieces, int16(len(contents))), append(personal, omniflow.PersonalContents(contents))
		}
	}
	args["content_channels"], args["content_parts"], args["content_ids"] = channels, parts, ids
	args["content_pieces"], args["content_personal"] = pieces, personal
	return nil
}

// Contents loads what the rows of a slice send, by content id. All recipients
// of a lane get the same, so its first few rows tell; those of a retry may
// differ from row to row.
func (s *Store) Contents(ctx context.Context, sl omniflow.Slice) (map[uuid.UUID][]omniflow.Content, error) {
	rows, err := s.pool.Query(ctx, `
		WITH span AS (
		  SELECT CASE WHEN retry_of IS NULL THEN 0 ELSE $4::integer END AS low, CASE WHEN retry_of IS NULL THEN $6::integer ELSE $5::integer END AS high
		  FROM broadcasts WHERE id = $2)
		SELECT c.id, c.body FROM contents c WHERE c.team_id = $1 AND c.id IN (
		  SELECT DISTINCT content_id FROM messages WHERE broadcast_id = $2 AND channel_account_id = $3
		    AND seq >= (SELECT low FROM span) AND seq < (SELECT high FROM span))`,
		sl.TeamID, sl.BroadcastID, sl.ChannelAccountID, sl.From, sl.To, omniflow.MaxParts)
	if err != nil {
		return nil, fmt.Errorf("load contents of broadcast %s: %w", sl.BroadcastID, err)
	}
	out := map[uuid.UUID][]omniflow.Content{}
	var id uuid.UUID
	var contents []omniflow.Content
	_, err = pgx.ForEachRow(rows, []any{&id, &contents}, func() error {
		out[id], contents = contents, nil
		return nil
	})
	return out, err
}

// FinishBroadcast writes the end of a run, and ends the rates that were set for
// its lanes; finishing again changes nothing.
func (s *Store) FinishBroadcast(ctx context.Context, teamID, broadcastID uuid.UUID, outcome omniflow.Outcome) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE broadcasts SET state = 'finished', outcome = $3, finished_at = now()
			WHERE team_id = $1 AND id = $2 AND finished_at IS NULL`, teamID, broadcastID, string(outcome))
		if err != nil {
			return err
		}
		return s.endLaneRates(ctx, tx, teamID, broadcastID, uuid.Nil)
	})
	if err != nil {
		return fmt.Errorf("finish broadcast %s: %w", broadcastID, err)
	}
	return nil
}
