package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// stepMember locks a member and applies f to it, then reads it again. Group
// and member are locked in this order everywhere.
func (s *Store) stepMember(ctx context.Context, ref omniflow.MemberRef, f func(tx pgx.Tx, g groupRow, m memberRow) error) (omniflow.GroupMember, error) {
	var out omniflow.GroupMember
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		g, err := lockGroup(ctx, tx, ref.TeamID, ref.GroupID)
		if err != nil {
			return err
		}
		m, err := lockMember(ctx, tx, ref.TeamID, ref.GroupID, ref.MemberID)
		if err != nil {
			return err
		}
		if err := f(tx, g, m); err != nil {
			return err
		}
		m, err = lockMember(ctx, tx, ref.TeamID, ref.GroupID, ref.MemberID)
		out = m.member()
		return err
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return out, fmt.Errorf("step of member %s: %w", ref.MemberID, err)
	}
	return out, err
}

// PrepareInvitation writes the ledger row of a member's invitation, once: the
// team's template with the group's link, to the one number. A team without
// such a template cannot invite: the member fails with
// invite_template_missing. The time to answer runs from now.
func (s *Store) PrepareInvitation(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, g groupRow, m memberRow) error {
		if m.State != omniflow.MemberInviting || m.MessageID != nil || m.JoinRequestID != "" {
			return nil
		}
		if no := g.group().Usable(); no != nil {
			_, err := moveMember(ctx, tx, m, omniflow.MemberRefuses, no.Code)
			return err
		}
		var name, language string
		err := tx.QueryRow(ctx, `
			SELECT t.name, t.language FROM teams k JOIN channel_accounts a ON a.team_id = k.team_id
			JOIN templates t ON t.team_id = k.team_id AND t.waba_id = a.waba_id AND t.name = k.invite_template AND t.language = k.invite_language
			WHERE a.id = $1 AND t.state = 'approved'`, g.ChannelAccountID).Scan(&name, &language)
		if errors.Is(err, pgx.ErrNoRows) {
			_, err := moveMember(ctx, tx, m, omniflow.MemberRefuses, omniflow.InviteTemplateMissing)
			return err
		}
		if err != nil {
			return err
		}
		contents := []omniflow.Content{{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: name, Language: language, GroupID: *g.ProviderID}}}
		message, err := queueMessage(ctx, tx, queuedMessage{ID: newID(), TeamID: g.TeamID, ChannelAccountID: g.ChannelAccountID,
			ConversationID: m.ID, Recipient: m.Phone, Contents: contents})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE group_members SET message_id = $2, deadline_at = now() + $3::interval WHERE id = $1`, m.ID, message, g.InvitationTimeout)
		return err
	})
}

// queuedMessage is one row of the ledger outside every broadcast.
type queuedMessage struct {
	ID, TeamID, ChannelAccountID, ConversationID uuid.UUID
	Recipient                                    string
	Contents                                     []omniflow.Content
}

// queueMessage writes a message with its content.
func queueMessage(ctx context.Context, tx pgx.Tx, m queuedMessage) (uuid.UUID, error) {
	content := newID()
	if _, err := tx.Exec(ctx, `INSERT INTO contents (id, team_id, body) VALUES ($1, $2, $3)`, content, m.TeamID, m.Contents); err != nil {
		return uuid.Nil, fmt.Errorf("store content: %w", err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO messages (id, team_id, channel_account_id, conversation_id, content_id, seq, recipient) VALUES ($1, $2, $3, $4, $5, 0, $6)`,
		m.ID, m.TeamID, m.ChannelAccountID, m.ConversationID, content, m.Recipient)
	if err != nil {
		return uuid.Nil, fmt.Errorf("queue message: %w", err)
	}
	return m.ID, nil
}

// FailMember ends what a member waits for with the reason: an invitation, or
// a removal.
func (s *Store) FailMember(ctx context.Context, ref omniflow.MemberRef, code omniflow.Code) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, _ groupRow, m memberRow) error {
		event := omniflow.MemberRefuses
		if m.State == omniflow.MemberRemovePending {
			event = omniflow.MemberRemoveFaults
		}
		_, err := moveMember(ctx, tx, m, event, code)
		return err
	})
}

// MemberStepAgain gives back a call about a member that surely was not taken:
// it is due again at the given time.
func (s *Store) MemberStepAgain(ctx context.Context, ref omniflow.MemberRef, at time.Time, counts bool) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, _ groupRow, m memberRow) error {
		_, err := tx.Exec(ctx, `UPDATE group_members SET next_at = $2, tries = tries + CASE WHEN $3 THEN 1 ELSE 0 END WHERE id = $1`, m.ID, at, counts)
		return err
	})
}

// RemovalAccepted notes that the provider was asked to remove a member, under
// requestID if it gave one; the wait for its webhook begins.
func (s *Store) RemovalAccepted(ctx context.Context, ref omniflow.MemberRef, requestID string) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, g groupRow, m memberRow) error {
		_, err := tx.Exec(ctx, `
			UPDATE group_members SET called = true, tries = 0, next_at = NULL, request_id = NULLIF($2, ''), deadline_at = now() + $3::interval
			WHERE id = $1 AND state = 'remove_pending'`, m.ID, requestID, g.RemovalTimeout)
		return err
	})
}

// MemberIsGone ends a removal: the provider does not list the number any more.
func (s *Store) MemberIsGone(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, _ groupRow, m memberRow) error {
		code := omniflow.RemovedByUs
		if m.Code == omniflow.Withdrawn {
			code = omniflow.Withdrawn
		}
		_, err := moveMember(ctx, tx, m, omniflow.MemberIsRemoved, code)
		return err
	})
}

// MemberIsIn ends an invitation: the provider lists the number.
func (s *Store) MemberIsIn(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, _ groupRow, m memberRow) error {
		_, err := moveMember(ctx, tx, m, omniflow.MemberAccepts, "")
		return err
	})
}

// JoinDecided notes that the provider took the decision about a join request:
// who was let in is waited for; who was not has failed.
func (s *Store) JoinDecided(ctx context.Context, ref omniflow.MemberRef, decision string) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, g groupRow, m memberRow) error {
		if m.JoinDecision != decision {
			return nil // another request meanwhile
		}
		if decision == omniflow.JoinReject {
			_, err := moveMember(ctx, tx, m, omniflow.MemberRefuses, omniflow.JoinRejected)
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE group_members SET join_decision = '', called = true, tries = 0, next_at = NULL, deadline_at = now() + $2::interval
			WHERE id = $1 AND state = 'inviting'`, m.ID, g.RemovalTimeout)
		return err
	})
}

// HastenMember makes what backs off about a member due now.
func (s *Store) HastenMember(ctx context.Context, ref omniflow.MemberRef) (omniflow.GroupMember, error) {
	return s.stepMember(ctx, ref, func(tx pgx.Tx, _ groupRow, m memberRow) error { return hastenMember(ctx, tx, m) })
}

// wakeInvitations tells the runs of members whose invitation a webhook has
// failed.
func wakeInvitations(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) error {
	var ids []uuid.UUID
	for _, s := range statuses {
		if s.State == omniflow.Failed {
			ids = append(ids, s.MessageID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return wakeInvited(ctx, tx, ids)
}

// wakeInvited tells the runs of the members whose invitations these are.
func wakeInvited(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) error {
	rows, _ := tx.Query(ctx, `
		SELECT team_id, group_id, id, phone_hash FROM group_members WHERE message_id = ANY ($1) AND state = 'inviting' ORDER BY id`, ids)
	type member struct {
		TeamID, GroupID, ID uuid.UUID
		Hash                string
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[member])
	if err != nil {
		return fmt.Errorf("find invitations: %w", err)
	}
	for _, m := range members {
		if err := wakeMember(ctx, tx, m.TeamID, m.GroupID, m.ID, m.Hash); err != nil {
			return err
		}
	}
	return nil
}
