package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// NewConversation is a request for a conversation with a WhatsApp number (WAC).
type NewConversation struct {
	TeamID, ActorID  uuid.UUID
	ChannelAccountID uuid.UUID
	Name             string // "" leaves the contact's name
	Country          string // ISO, or ""
	Phone            string // E.164 (D-WAC-3)
	TakeOver         bool   // yes to the prompt
	Version          int64  // with TakeOver: what the prompt showed; 0: does not matter
	ActionID         uuid.UUID
}

// CreatedConversation is what came of it.
type CreatedConversation struct {
	ID           uuid.UUID
	Result       omniflow.CreateResult
	State        omniflow.ConversationState
	FollowerID   *uuid.UUID
	FollowerName string
	Version      int64
}

// CreateConversation makes the conversation, or says what there is already: one
// transaction keyed by account and phone, so two at once give one conversation
// and one prompt. A name is applied whatever the answer (WAC-08, D-WAC-1).
//
// Refusals: channel_account_invalid, customer_blocked, permission_denied,
// actor_inactive, and those of omniflow.MoveConversation.
func (s *Store) CreateConversation(ctx context.Context, n NewConversation) (CreatedConversation, error) {
	var out CreatedConversation
	err := s.inTeam(ctx, n.TeamID, func(tx pgx.Tx) error {
		id, err := openWhatsApp(ctx, tx, n)
		if err != nil {
			return err
		}
		c, in, err := holdFor(ctx, tx, n.TeamID, id, n.ActorID)
		if err != nil {
			return err
		}
		if !in.Actor.Role.Handles() {
			return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "the role %q has nothing to do with conversations", in.Actor.Role)
		}
		if err := nameContact(ctx, tx, n, c.ContactID); err != nil {
			return err
		}
		done, err := logged(ctx, tx, id, n.ActionID)
		if err != nil {
			return err
		}
		takeOver := n.TakeOver && (n.Version == 0 || n.Version == c.Version)
		out.Result = omniflow.DecideCreation(c.State, in.Relation, c.Collaborators, takeOver)
		if !done {
			if err := c.create(ctx, tx, n, out.Result); err != nil {
				return err
			}
		}
		if c, err = lockConversation(ctx, tx, n.TeamID, id); err != nil {
			return err
		}
		out.ID, out.State, out.FollowerID, out.FollowerName, out.Version = c.ID, c.State, c.FollowerID, c.Follower, c.Version
		return nil
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return out, fmt.Errorf("create conversation: %w", err)
	}
	return out, err
}

// openWhatsApp finds or makes the conversation of a number.
func openWhatsApp(ctx context.Context, tx pgx.Tx, n NewConversation) (uuid.UUID, error) {
	digits := strings.TrimPrefix(n.Phone, "+")
	err := makeSenders(ctx, tx, []newSender{{account: n.ChannelAccountID, team: n.TeamID, channel: omniflow.WhatsApp, external: digits, phone: n.Phone, name: n.Name}})
	if err != nil {
		return uuid.Nil, err
	}
	var id uuid.UUID
	var blocked bool
	err = tx.QueryRow(ctx, `
SELECT c.id, i.blocked_at IS NOT NULL FROM channel_identities i JOIN conversations c ON c.channel_identity_id = i.id
WHERE i.team_id = $1 AND i.channel_account_id = $2 AND i.external_id = $3`, n.TeamID, n.ChannelAccountID, digits).Scan(&id, &blocked)
	if err != nil {
		return uuid.Nil, fmt.Errorf("find conversation of a number: %w", err)
	}
	if blocked {
		return uuid.Nil, omniflow.Refuse(omniflow.CustomerBlocked, "DEL-02", "the customer is blocked")
	}
	return id, nil
}

// nameContact applies the name and the number of a creation (WAC-03, WAC-08).
func nameContact(ctx context.Context, tx pgx.Tx, n NewConversation, contact *uuid.UUID) error {
	_, err := tx.Exec(ctx, `
UPDATE contacts SET name = CASE WHEN $3 = '' THEN name ELSE $3 END, phone = $4, country = CASE WHEN $5 = '' THEN country ELSE $5 END
WHERE team_id = $1 AND id = $2`, n.TeamID, contact, n.Name, n.Phone, n.Country)
	if err != nil {
		return fmt.Errorf("name contact: %w", err)
	}
	return nil
}

// create makes the transition of the result, if it has one. To take over by the
// prompt is allowed to everybody who creates, also of what is closed (D-WAC-1);
// the other steps are those of the tables.
func (c conversationRow) create(ctx context.Context, tx pgx.Tx, n NewConversation, result omniflow.CreateResult) error {
	st := conversationStep{TeamID: n.TeamID, ConversationID: c.ID, ActorID: n.ActorID, Event: result.Event(), ActionID: n.ActionID}
	switch result {
	case omniflow.ConversationExisting, omniflow.ExistsAskTakeover, omniflow.ExistsAskJoin:
		return nil
	case omniflow.ConversationCreated, omniflow.ConversationTaken:
		w := stepWrite{conversationStep: st, From: c.State, To: omniflow.Handling, Former: c.FollowerID, Next: &n.ActorID}
		return w.commit(ctx, tx)
	}
	return stepConversation(ctx, tx, st)
}
