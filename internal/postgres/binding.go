package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// Binding binds a customer to a sales member (BRD-11).
type Binding struct {
	MemberID   uuid.UUID
	ContactID  uuid.UUID
	CustomerID string
	CreatedAt  time.Time
}

// BindCustomer binds a customer to a member; binding again changes nothing. A
// Refusal not_found if the team has no such customer or member.
func (s *Store) BindCustomer(ctx context.Context, teamID, memberID uuid.UUID, customerID string) (Binding, error) {
	var out Binding
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		if _, err := loadMember(ctx, tx, teamID, memberID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
INSERT INTO contact_bindings (member_id, contact_id, team_id)
SELECT $2, c.id, c.team_id FROM contacts c WHERE c.team_id = $1 AND c.customer_id = $3 AND $3 <> '' ON CONFLICT DO NOTHING`, teamID, memberID, customerID)
		if err != nil {
			return fmt.Errorf("bind customer: %w", err)
		}
		rows, _ := tx.Query(ctx, bindings+` AND b.member_id = $2 AND c.customer_id = $3`, teamID, memberID, customerID)
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Binding])
		return oneRow(err, "customer", uuid.Nil)
	})
	return out, err
}

const bindings = `
SELECT b.member_id, b.contact_id, c.customer_id, b.created_at FROM contact_bindings b JOIN contacts c ON c.id = b.contact_id WHERE b.team_id = $1`

// UnbindCustomer ends a binding; broadcasts under way skip the customer from
// now on. A Refusal not_found if there is none.
func (s *Store) UnbindCustomer(ctx context.Context, teamID, memberID uuid.UUID, customerID string) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
DELETE FROM contact_bindings b USING contacts c
WHERE b.contact_id = c.id AND b.team_id = $1 AND b.member_id = $2 AND c.customer_id = $3`, teamID, memberID, customerID)
		if err != nil {
			return fmt.Errorf("unbind customer: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the customer is not bound to this member")
		}
		return nil
	})
}

// ListBindings lists the customers bound to a member, by contact id.
func (s *Store) ListBindings(ctx context.Context, teamID, memberID uuid.UUID, p Page) ([]Binding, error) {
	var out []Binding
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, bindings+` AND b.member_id = $2 AND b.contact_id > $3 ORDER BY b.contact_id LIMIT $4`, teamID, memberID, p.After, p.Limit)
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Binding])
		out = list
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list bindings: %w", err)
	}
	return out, nil
}
