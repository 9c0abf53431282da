package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// NewGroupChange is what a follower asks to change about a group.
type NewGroupChange struct {
	ID, TeamID, GroupID, ActorID uuid.UUID
	Kind, Name, Description      string
}

// CreateGroupChange stores a change and the promise of its run. One that is
// there under this id is left alone. Refusals: those of a member's change, and
// group_change_under_way while another one of its kind waits.
func (s *Store) CreateGroupChange(ctx context.Context, c NewGroupChange) (*Start, error) {
	var out *Start
	workflowID := omniflow.ChangeGroupID(c.TeamID, c.ID)
	err := s.inTeam(ctx, c.TeamID, func(tx pgx.Tx) error {
		g, err := lockGroup(ctx, tx, c.TeamID, c.GroupID)
		if err != nil {
			return err
		}
		if err := permitChange(ctx, tx, g, c.ActorID); err != nil {
			return err
		}
		var busy bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM group_changes WHERE group_id = $1 AND kind = $2 AND state = 'pending' AND id <> $3)`,
			c.GroupID, c.Kind, c.ID).Scan(&busy)
		if err != nil {
			return err
		}
		if busy {
			return omniflow.Refuse(omniflow.GroupChangeUnderWay, "GRP-06", "another change of this kind waits for the provider")
		}
		if err := promiseChange(ctx, tx, c, workflowID); err != nil {
			return err
		}
		out, err = openPromise(ctx, tx, c.TeamID, workflowID)
		return err
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return nil, fmt.Errorf("create change of group %s: %w", c.GroupID, err)
	}
	return out, err
}

func promiseChange(ctx context.Context, tx pgx.Tx, c NewGroupChange, workflowID string) error {
	tag, err := tx.Exec(ctx, `
INSERT INTO group_changes (id, team_id, group_id, actor_id, kind, name, description) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		c.ID, c.TeamID, c.GroupID, c.ActorID, c.Kind, c.Name, c.Description)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	input, err := json.Marshal(omniflow.ChangeRef{GroupRef: omniflow.GroupRef{TeamID: c.TeamID, GroupID: c.GroupID}, ChangeID: c.ID})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary, conversation_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		newID(), c.TeamID, omniflow.ChangeGroupRun, workflowID, input, c.Kind+" of a WhatsApp group", c.GroupID)
	return err
}

// changeRow is a row of group_changes with its group.
type changeRow struct {
	ID, TeamID, GroupID, ChannelAccountID uuid.UUID
	Kind, Name, Description, Marker       string
	ProviderID                            *string
	State                                 string
	Code                                  omniflow.Code
	Called                                bool
	Tries                                 int
	NextAt, DeadlineAt                    *time.Time
}

func loadChange(ctx context.Context, tx pgx.Tx, ref omniflow.ChangeRef) (omniflow.GroupChange, error) {
	rows, _ := tx.Query(ctx, `
		SELECT c.id, c.team_id, c.group_id, g.channel_account_id, c.kind, c.name, c.description, g.marker, g.provider_id, c.state, c.code,
		  c.called, c.tries, c.next_at, c.deadline_at
		FROM group_changes c JOIN groups g ON g.id = c.group_id WHERE c.team_id = $1 AND c.id = $2 FOR UPDATE OF c`, ref.TeamID, ref.ChangeID)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[changeRow])
	if err != nil {
		return omniflow.GroupChange{}, oneRow(err, "change", ref.ChangeID)
	}
	c := omniflow.GroupChange{ID: r.ID, TeamID: r.TeamID, GroupID: r.GroupID, ChannelAccountID: r.ChannelAccountID, Kind: r.Kind, Name: r.Name,
		Description: r.Description, Marker: r.Marker, State: r.State, Code: r.Code, Called: r.Called, Tries: r.Tries,
		NextAt: orZero(r.NextAt), Deadline: orZero(r.DeadlineAt)}
	if r.ProviderID != nil {
		c.ProviderID = *r.ProviderID
	}
	return c, nil
}

// stepChange applies f to a change in one transaction that holds its group.
func (s *Store) stepChange(ctx context.Context, ref omniflow.ChangeRef, f func(tx pgx.Tx, g groupRow, c omniflow.GroupChange) error) (omniflow.GroupChange, error) {
	var out omniflow.GroupChange
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		g, err := lockGroup(ctx, tx, ref.TeamID, ref.GroupID)
		if err != nil {
			return err
		}
		c, err := loadChange(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := f(tx, g, c); err != nil {
			return err
		}
		out, err = loadChange(ctx, tx, ref)
		return err
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return out, fmt.Errorf("step of change %s: %w", ref.ChangeID, err)
	}
	return out, err
}

// LoadGroupChange reads a change for its run.
func (s *Store) LoadGroupChange(ctx context.Context, ref omniflow.ChangeRef) (omniflow.GroupChange, error) {
	return s.stepChange(ctx, ref, func(pgx.Tx, groupRow, omniflow.GroupChange) error { return nil })
}

// GroupChangeAccepted notes that the provider works on a change, under
// requestID if it gave one; its webhook is waited for.
func (s *Store) GroupChangeAccepted(ctx context.Context, ref omniflow.ChangeRef, requestID string) (omniflow.GroupChange, error) {
	return s.stepChange(ctx, ref, func(tx pgx.Tx, g groupRow, _ omniflow.GroupChange) error {
		_, err := tx.Exec(ctx, `
			UPDATE group_changes SET called = true, tries = 0, next_at = NULL, request_id = NULLIF($2, ''), deadline_at = now() + $3::interval
			WHERE id = $1 AND state = 'pending'`, ref.ChangeID, requestID, g.RemovalTimeout)
		return err
	})
}

// GroupChangeAgain gives back a call that surely was not taken.
func (s *Store) GroupChangeAgain(ctx context.Context, ref omniflow.ChangeRef, at time.Time, counts bool) (omniflow.GroupChange, error) {
	return s.stepChange(ctx, ref, func(tx pgx.Tx, _ groupRow, _ omniflow.GroupChange) error {
		_, err := tx.Exec(ctx, `UPDATE group_changes SET next_at = $2, tries = tries + CASE WHEN $3 THEN 1 ELSE 0 END WHERE id = $1`, ref.ChangeID, at, counts)
		return err
	})
}

// EndGroupChange ends a change; link is the new invite link of reset_link.
func (s *Store) EndGroupChange(ctx context.Context, ref omniflow.ChangeRef, state string, code omniflow.Code, link string) (omniflow.GroupChange, error) {
	return s.stepChange(ctx, ref, func(tx pgx.Tx, g groupRow, c omniflow.GroupChange) error {
		if c.State != omniflow.ChangePending {
			return nil
		}
		if link != "" {
			if _, err := tx.Exec(ctx, `UPDATE groups SET invite_link = $2 WHERE id = $1`, g.ID, link); err != nil {
				return err
			}
		}
		return finishChange(ctx, tx, g, c.ID, state, code)
	})
}

// endChange is finishChange for a webhook: the change's run hears of it.
func endChange(ctx context.Context, tx pgx.Tx, g groupRow, id uuid.UUID, state string, code omniflow.Code) error {
	if err := finishChange(ctx, tx, g, id, state, code); err != nil {
		return err
	}
	ref := omniflow.ChangeRef{GroupRef: omniflow.GroupRef{TeamID: g.TeamID, GroupID: g.ID}, ChangeID: id}
	return promiseSignal(ctx, tx, g.TeamID, g.ID, omniflow.ChangeGroupRun, omniflow.ChangeGroupID(g.TeamID, id), ref, "change of a WhatsApp group")
}

// finishChange writes how a change ended and what it changed. A success after
// the time was over still counts.
func finishChange(ctx context.Context, tx pgx.Tx, g groupRow, id uuid.UUID, state string, code omniflow.Code) error {
	if state == omniflow.ChangeFailed {
		code = orElse(code, omniflow.ProviderRejected)
	}
	var kind, name, description string
	err := tx.QueryRow(ctx, `
		UPDATE group_changes SET state = $2, code = $3, decided_at = now(), next_at = NULL
		WHERE id = $1 AND (state = 'pending' OR (state = 'failed' AND code = 'change_timeout' AND $2 = 'done'))
		RETURNING kind, name, description`, id, state, string(code)).Scan(&kind, &name, &description)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil || state != omniflow.ChangeDone {
		return err
	}
	if kind == omniflow.ChangeDelete {
		return markDeleted(ctx, tx, g)
	}
	_, err = tx.Exec(ctx, `
		UPDATE groups SET name = CASE WHEN $2 <> '' THEN $2 ELSE name END, description = CASE WHEN $3 <> '' THEN $3 ELSE description END
		WHERE id = $1`, g.ID, name, description)
	return err
}

// markDeleted notes that the provider has deleted a group: its conversation is
// closed, and what waits in it ends at its next step.
func markDeleted(ctx context.Context, tx pgx.Tx, g groupRow) error {
	tag, err := tx.Exec(ctx, `UPDATE groups SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL`, g.ID)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE conversations SET state = 'closed', version = version + 1, closed_at = now(), surveyed_at = now(), waiting_since = NULL, waiting_level = 0
		WHERE id = $1 AND state <> 'closed'`, g.ID)
	if err != nil {
		return err
	}
	if err := wakeConversation(ctx, tx, omniflow.ConversationRef{TeamID: g.TeamID, ConversationID: g.ID}, time.Time{}); err != nil {
		return err
	}
	return logConversation(ctx, tx, logEntry{TeamID: g.TeamID, ConversationID: g.ID, ActionID: newID(), Event: omniflow.OnGroupDeleted})
}
