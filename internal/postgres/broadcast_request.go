package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// audienceWhere selects the conversations of an audience among those in the
// actor's own "my handling" (BRD-02, BRD-12); groups are never among them
// (D-BRD-4). c is conversations; its parameters come from audienceArgs.
const audienceWhere = `
c.team_id = @team_id AND c.follower_id = @actor_id AND c.state = 'handling' AND c.type = 'one_to_one'
AND (cardinality(@ids::uuid[]) = 0 OR c.id = ANY(@ids))
AND (cardinality(@channels::text[]) = 0 OR c.channel = ANY(@channels))
AND (cardinality(@tags::text[]) + cardinality(@stores::text[]) = 0 OR EXISTS (
  SELECT FROM contacts p WHERE p.id = c.contact_id
    AND (cardinality(@tags) = 0 OR p.tags && @tags) AND (cardinality(@stores) = 0 OR p.store = ANY(@stores))))`

// audienceOf is audienceWhere, or what stands for it where bound customers are
// selected: those on the list, or all that the filters let through.
func audienceOf(a omniflow.Audience) string {
	switch {
	case a.Bound && len(a.ConversationIDs) > 0:
		return namedAudience + ` AND c.type = 'one_to_one' AND ` + boundToActor + ` AND (cardinality(@channels::text[]) = 0 OR c.channel = ANY(@channels))`
	case a.Bound:
		return boundAudience
	}
	return audienceWhere
}

// audienceArgs are the parameters of audienceOf.
func audienceArgs(teamID, actorID uuid.UUID, a omniflow.Audience) pgx.NamedArgs {
	channels := []string{}
	for _, ch := range a.Only() {
		channels = append(channels, string(ch))
	}
	return pgx.NamedArgs{"team_id": teamID, "actor_id": actorID, "channels": channels,
		"tags": append([]string{}, a.Tags...), "stores": append([]string{}, a.Stores...),
		"ids": append([]uuid.UUID{}, a.ConversationIDs...)}
}

// AudienceCount is what an audience comes to.
type AudienceCount struct {
	Channels map[omniflow.Channel]int // conversations
	WABAs    []string                 // WhatsApp business accounts among them, each once
	Total    int
}

// CountAudience counts the conversations that an audience selects now.
func (s *Store) CountAudience(ctx context.Context, teamID, actorID uuid.UUID, a omniflow.Audience) (AudienceCount, error) {
	out := AudienceCount{Channels: map[omniflow.Channel]int{}}
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT c.channel, a.waba_id, c.n FROM (
  SELECT c.channel, c.channel_account_id, count(*) AS n FROM conversations c WHERE `+audienceOf(a)+` GROUP BY 1, 2) c
JOIN channel_accounts a ON a.id = c.channel_account_id ORDER BY a.waba_id`, audienceArgs(teamID, actorID, a))
		var ch omniflow.Channel
		var waba string
		var n int
		_, err := pgx.ForEachRow(rows, []any{&ch, &waba, &n}, func() error {
			out.Channels[ch] += n
			out.Total += n
			if ch == omniflow.WhatsApp && (len(out.WABAs) == 0 || out.WABAs[len(out.WABAs)-1] != waba) {
				out.WABAs = append(out.WABAs, waba)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return AudienceCount{}, fmt.Errorf("count audience: %w", err)
	}
	return out, nil
}

// FindTemplate finds a template of a WhatsApp business account by name and
// language, or returns a Refusal not_found.
func (s *Store) FindTemplate(ctx context.Context, teamID uuid.UUID, wabaID, name, language string) (Template, error) {
	var out Template
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
SELECT id, team_id, waba_id, name, language, body_params, state, header FROM templates
WHERE team_id = $1 AND waba_id = $2 AND name = $3 AND language = $4`, teamID, wabaID, name, language)
		t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Template])
		out = t
		return oneRow(err, "template", uuid.Nil)
	})
	return out, err
}

// NewBroadcast is an accepted request and the run that it promises.
type NewBroadcast struct {
	ID         uuid.UUID
	TeamID     uuid.UUID
	ActorID    uuid.UUID
	Request    omniflow.BroadcastRequest
	Workflow   string
	WorkflowID string
	Input      json.RawMessage
	Summary    string

	RetryOf uuid.UUID             // zero: no retry
	Retry   omniflow.RetryRequest // what of RetryOf
	By      By                    // who asked for the retry
}

// CreateBroadcast stores b and the promise to start its run in one
// transaction: a request that was accepted survives a crash at any moment. It
// returns the promise while it is open, else nil. One that is there under this
// id is left alone.
func (s *Store) CreateBroadcast(ctx context.Context, b NewBroadcast) (*Start, error) {
	var out *Start
	err := s.inTeam(ctx, b.TeamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
INSERT INTO broadcasts (id, team_id, actor_id, kind, client, name, request, state, workflow_id, start_at, late_after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
			b.ID, b.TeamID, b.ActorID, b.Request.Kind, b.Request.Client, b.Request.Name, b.Request, b.Request.FirstState(), b.WorkflowID,
			b.Request.StartAt, b.Request.LateAfter())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			if err := storeRetry(ctx, tx, b); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `
INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary) VALUES ($1, $2, $3, $4, $5, $6)`,
				newID(), b.TeamID, b.Workflow, b.WorkflowID, b.Input, b.Summary)
			if err != nil {
				return err
			}
			if err := audit(ctx, tx, b.TeamID, b.ActorID, "broadcast.start", b.ID.String(), map[string]any{"name": b.Request.Name}); err != nil {
				return err
			}
		}
		out, err = openPromise(ctx, tx, b.TeamID, b.WorkflowID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create broadcast %s: %w", b.ID, err)
	}
	return out, nil
}

// OpenPromise returns the promise to start a run, or nil once it was kept.
func (s *Store) OpenPromise(ctx context.Context, teamID uuid.UUID, workflowID string) (*Start, error) {
	var out *Start
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		out, err = openPromise(ctx, tx, teamID, workflowID)
		return err
	})
	return out, err
}

func openPromise(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, workflowID string) (*Start, error) {
	rows, _ := tx.Query(ctx, `
SELECT id, team_id, workflow, workflow_id, input, summary, COALESCE(conversation_id, '00000000-0000-0000-0000-000000000000') AS conversation_id FROM outbox
WHERE team_id = $1 AND workflow_id = $2 AND started_at IS NULL LIMIT 1`, teamID, workflowID)
	promises, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Start])
	if err != nil {
		return nil, fmt.Errorf("load promise of %s: %w", workflowID, err)
	}
	if len(promises) == 0 {
		return nil, nil
	}
	return promises[0], nil
}

// KeepPromise notes that the promised run exists.
func (s *Store) KeepPromise(ctx context.Context, p Start) error {
	err := s.inTeam(ctx, p.TeamID, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
UPDATE outbox SET started_at = now() WHERE team_id = $1 AND id = $2 AND started_at IS NULL`, p.TeamID, p.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep promise of %s: %w", p.WorkflowID, err)
	}
	return nil
}
