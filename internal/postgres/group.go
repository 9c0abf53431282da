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

// NewGroup is an accepted request for a WhatsApp group and the run it promises.
type NewGroup struct {
	ID, TeamID, ActorID, ChannelAccountID uuid.UUID
	Name, Description                     string
	ApprovalRequired                      bool
	Members                               []NewGroupMember
}

// NewGroupMember is a number to invite.
type NewGroupMember struct {
	Phone string // digits
	Hash  string // keyed
}

// CreateGroup stores g as reviewing, its numbers, and the promise of its run
// in one transaction (GRP-11). It returns the promise while it is open, else
// nil. One that is there under this id is left alone.
func (s *Store) CreateGroup(ctx context.Context, g NewGroup) (*Start, error) {
	var out *Start
	workflowID := omniflow.CreateGroupID(g.TeamID, g.ID)
	err := s.inTeam(ctx, g.TeamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
INSERT INTO groups (id, team_id, channel_account_id, creator_id, name, description, approval_required, marker)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
			g.ID, g.TeamID, g.ChannelAccountID, g.ActorID, g.Name, g.Description, g.ApprovalRequired, omniflow.GroupMarker(g.ID))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			if err := promiseGroup(ctx, tx, g, workflowID); err != nil {
				return err
			}
		}
		out, err = openPromise(ctx, tx, g.TeamID, workflowID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create group %s: %w", g.ID, err)
	}
	return out, nil
}

// promiseGroup stores the numbers of a new group and promises its run.
func promiseGroup(ctx context.Context, tx pgx.Tx, g NewGroup, workflowID string) error {
	for _, m := range g.Members {
		_, err := tx.Exec(ctx, `
INSERT INTO group_members (id, team_id, group_id, phone, phone_hash, state) VALUES ($1, $2, $3, $4, $5, $6)`,
			newID(), g.TeamID, g.ID, m.Phone, m.Hash, omniflow.MemberInviting)
		if err != nil {
			return err
		}
	}
	input, err := json.Marshal(omniflow.GroupRef{TeamID: g.TeamID, GroupID: g.ID})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
INSERT INTO outbox (id, team_id, workflow, workflow_id, input, summary, conversation_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		newID(), g.TeamID, omniflow.CreateGroupRun, workflowID, input, fmt.Sprintf("WhatsApp group with %d numbers", len(g.Members)), g.ID)
	return err
}

// groupRow is a row of groups with what its team has set.
type groupRow struct {
	ID, TeamID, ChannelAccountID, CreatorID      uuid.UUID
	Name, Description                            string
	ApprovalRequired                             bool
	State                                        omniflow.GroupState
	Code                                         omniflow.Code
	CreateCall                                   omniflow.CreateCall
	Tries                                        int
	CalledAt, NextAt, ReviewUntil                *time.Time
	ProviderID                                   *string
	Suspended, Deleted                           bool
	OnUnknown                                    omniflow.UnknownPolicy
	ReconcileAfter                               time.Duration
	GroupReviewTimeout, InvitationTimeout        time.Duration
	RemovalTimeout                               time.Duration
	ApproveInvited, CreatorActive, Conversations bool
}

const groupSelect = `
SELECT g.id, g.team_id, g.channel_account_id, g.creator_id, g.name, g.description, g.approval_required, g.state, g.code, g.create_call, g.tries,
  g.called_at, g.next_at, g.review_until, g.provider_id, g.suspended_at IS NOT NULL AS suspended, g.deleted_at IS NOT NULL AS deleted,
  t.on_unknown, t.reconcile_after, t.group_review_timeout, t.invitation_timeout, t.removal_timeout, t.approve_invited,
  (SELECT m.state = 'active' FROM members m WHERE m.id = g.creator_id) AS creator_active,
  EXISTS (SELECT FROM conversations c WHERE c.id = g.id) AS conversations
FROM groups g JOIN teams t ON t.team_id = g.team_id `

// group is r as the rules see it.
func (r groupRow) group() omniflow.Group {
	g := omniflow.Group{ID: r.ID, TeamID: r.TeamID, ChannelAccountID: r.ChannelAccountID, CreatorID: r.CreatorID,
		Name: r.Name, Description: r.Description, ApprovalRequired: r.ApprovalRequired, State: r.State, Code: r.Code,
		Call: r.CreateCall, Tries: r.Tries, CalledAt: orZero(r.CalledAt), NextAt: orZero(r.NextAt), ReviewUntil: orZero(r.ReviewUntil),
		Suspended: r.Suspended, Deleted: r.Deleted, OnUnknown: r.OnUnknown, ReconcileAfter: r.ReconcileAfter}
	if r.ProviderID != nil {
		g.ProviderID = *r.ProviderID
	}
	return g
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// orNull is t as a nullable column takes it.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// orNil is id as a nullable column takes it.
func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// lockGroup reads one group and keeps others from changing it.
func lockGroup(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID) (groupRow, error) {
	rows, _ := tx.Query(ctx, groupSelect+`WHERE g.team_id = $1 AND g.id = $2 FOR UPDATE OF g`, teamID, id)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[groupRow])
	return r, oneRow(err, "group", id)
}

// LoadGroup loads a group for a run. Refusal not_found.
func (s *Store) LoadGroup(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, error) {
	rows, _ := s.pool.Query(ctx, groupSelect+`WHERE g.team_id = $1 AND g.id = $2`, teamID, id)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[groupRow])
	return r.group(), oneRow(err, "group", id)
}

// changeGroup locks a group and applies f to it, in one transaction.
func (s *Store) changeGroup(ctx context.Context, teamID, id uuid.UUID, f func(tx pgx.Tx, g groupRow) error) (omniflow.Group, error) {
	var out omniflow.Group
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		out, err = changeGroupIn(ctx, tx, teamID, id, f)
		return err
	})
	return out, err
}

func changeGroupIn(ctx context.Context, tx pgx.Tx, teamID, id uuid.UUID, f func(tx pgx.Tx, g groupRow) error) (omniflow.Group, error) {
	g, err := lockGroup(ctx, tx, teamID, id)
	if err != nil {
		return omniflow.Group{}, err
	}
	if err := f(tx, g); err != nil {
		return omniflow.Group{}, err
	}
	g, err = lockGroup(ctx, tx, teamID, id)
	return g.group(), err
}
