package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// KeywordRule is a row of keyword_rules.
type KeywordRule struct {
	TeamID    uuid.UUID
	CreatedAt time.Time
	omniflow.KeywordRule
}

const keywordColumns = `r.id, r.team_id, r.keyword, r.match, r.channels, r.reply, r.states, r.assign_to, r.ask_human, r.created_at`

func scanKeyword(row pgx.CollectableRow) (r KeywordRule, err error) {
	var assign *uuid.UUID
	err = row.Scan(&r.ID, &r.TeamID, &r.Keyword, &r.Match, &r.Channels, &r.Reply, &r.States, &assign, &r.AskHuman, &r.CreatedAt)
	if assign != nil {
		r.AssignTo = *assign
	}
	return r, err
}

// keywordRulesOf gives the rules of teams, oldest first. A rule assigns to
// nobody who is not active any more (D-ROL-4), or whose role of now has nothing
// to do with conversations (CNV-18).
func keywordRulesOf(ctx context.Context, tx pgx.Tx, teams []uuid.UUID) (map[uuid.UUID][]omniflow.KeywordRule, error) {
	rows, _ := tx.Query(ctx, `
SELECT r.id, r.team_id, r.keyword, r.match, r.channels, r.reply, r.states, m.id, r.ask_human, r.created_at
FROM keyword_rules r LEFT JOIN members m ON m.id = r.assign_to AND m.state = 'active' AND m.role = ANY ($2)
WHERE r.team_id = ANY ($1) ORDER BY r.id`, teams, handlingRoles())
	rules, err := pgx.CollectRows(rows, scanKeyword)
	if err != nil {
		return nil, fmt.Errorf("load keyword rules: %w", err)
	}
	out := map[uuid.UUID][]omniflow.KeywordRule{}
	for _, r := range rules {
		out[r.TeamID] = append(out[r.TeamID], r.KeywordRule)
	}
	return out, nil
}

// handlingRoles are the roles that may follow a conversation.
func handlingRoles() []string {
	var out []string
	for _, r := range omniflow.Roles {
		if r.Handles() {
			out = append(out, string(r))
		}
	}
	return out
}

// SaveKeyword creates or replaces a rule and returns it as stored; fresh says
// which, and decides what is missing: to replace one that is not there is a
// Refusal not_found. Other refusals: receiver_invalid (the member is not of the
// team, not active, or has nothing to do with conversations), input_invalid
// (too many rules).
func (s *Store) SaveKeyword(ctx context.Context, r KeywordRule, fresh bool, by By) (KeywordRule, error) {
	var out KeywordRule
	err := s.inTeam(ctx, r.TeamID, func(tx pgx.Tx) error {
		if err := checkAssignee(ctx, tx, r); err != nil {
			return err
		}
		if err := writeKeyword(ctx, tx, r, fresh); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `SELECT `+keywordColumns+` FROM keyword_rules r WHERE r.team_id = $1 AND r.id = $2`, r.TeamID, r.ID)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, scanKeyword); err != nil {
			return oneRow(err, "keyword rule", r.ID)
		}
		return audit(ctx, tx, r.TeamID, by.ActorID, "keyword.save", r.ID.String(), map[string]any{"reason": by.Reason})
	})
	return out, err
}

func checkAssignee(ctx context.Context, tx pgx.Tx, r KeywordRule) error {
	if r.AssignTo == uuid.Nil {
		return nil
	}
	var role omniflow.Role
	var active bool
	err := tx.QueryRow(ctx, `SELECT role, state = 'active' FROM members WHERE team_id = $1 AND id = $2`, r.TeamID, r.AssignTo).Scan(&role, &active)
	if err != nil {
		return oneRow(err, "member", r.AssignTo)
	}
	if !active {
		return omniflow.Refuse(omniflow.ReceiverInactive, "CNV-18", "the member is deactivated or deleted")
	}
	if !role.Handles() {
		return omniflow.Refuse(omniflow.ReceiverInvalid, "CNV-18", "the role %q has nothing to do with conversations", role)
	}
	return nil
}

func writeKeyword(ctx context.Context, tx pgx.Tx, r KeywordRule, fresh bool) error {
	statement := `
UPDATE keyword_rules SET keyword = $3, match = $4, channels = $5, reply = $6, states = $7, assign_to = $8, ask_human = $9 WHERE team_id = $1 AND id = $2`
	if fresh {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM keyword_rules WHERE team_id = $1`, r.TeamID).Scan(&n); err != nil {
			return err
		}
		if n >= omniflow.MaxKeywordRules {
			return omniflow.Refuse(omniflow.InvalidInput, "CNV-10", "a team has at most %d keyword rules", omniflow.MaxKeywordRules)
		}
		statement = `
INSERT INTO keyword_rules (team_id, id, keyword, match, channels, reply, states, assign_to, ask_human)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`
	}
	_, err := tx.Exec(ctx, statement, r.TeamID, r.ID, r.Keyword, r.Match, append([]omniflow.Channel{}, r.Channels...), r.Reply,
		append([]omniflow.ConversationState{}, r.States...), orNil(r.AssignTo), r.AskHuman)
	if err != nil {
		return fmt.Errorf("save keyword rule %s: %w", r.ID, err)
	}
	return nil
}

// ListKeywords lists the rules of a team, oldest first.
func (s *Store) ListKeywords(ctx context.Context, teamID uuid.UUID, p Page) ([]KeywordRule, error) {
	var out []KeywordRule
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `SELECT `+keywordColumns+` FROM keyword_rules r WHERE r.team_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3`, teamID, p.After, p.Limit)
		out, err = pgx.CollectRows(rows, scanKeyword)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keyword rules: %w", err)
	}
	return out, nil
}

// DeleteKeyword deletes a rule, or is a Refusal not_found.
func (s *Store) DeleteKeyword(ctx context.Context, teamID, id uuid.UUID, by By) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM keyword_rules WHERE team_id = $1 AND id = $2`, teamID, id)
		if err != nil {
			return fmt.Errorf("delete keyword rule %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no keyword rule with this id")
		}
		return audit(ctx, tx, teamID, by.ActorID, "keyword.delete", id.String(), map[string]any{"reason": by.Reason})
	})
}
