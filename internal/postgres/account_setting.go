package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// SetMenuTexts keeps the texts of the rich menu that was set in LINE, in place
// of those before: a message with one of them is a tap and no typed text.
// Refusal not_found: the team has no such LINE account.
func (s *Store) SetMenuTexts(ctx context.Context, teamID, accountID uuid.UUID, texts []string, by By) error {
	return s.setAccountList(ctx, accountList{teamID: teamID, accountID: accountID, channel: omniflow.LINE, column: "menu_texts", values: texts}, by)
}

// SetAllowedOrigins keeps the sites whose pages may show a web chat account's
// widget, in place of those before. Refusal not_found: the team has no such
// web chat account.
func (s *Store) SetAllowedOrigins(ctx context.Context, teamID, accountID uuid.UUID, origins []string, by By) error {
	return s.setAccountList(ctx, accountList{teamID: teamID, accountID: accountID, channel: omniflow.Webchat, column: "allowed_origins", values: origins}, by)
}

type accountList struct {
	teamID, accountID uuid.UUID
	channel           omniflow.Channel
	column            string
	values            []string
}

func (s *Store) setAccountList(ctx context.Context, l accountList, by By) error {
	return s.inTeam(ctx, l.teamID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE channel_accounts SET `+l.column+` = $4 WHERE team_id = $1 AND id = $2 AND channel = $3`,
			l.teamID, l.accountID, string(l.channel), l.values)
		if err != nil {
			return fmt.Errorf("set %s of account %s: %w", l.column, l.accountID, err)
		}
		if tag.RowsAffected() == 0 {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the team has no such %s account", l.channel)
		}
		return audit(ctx, tx, l.teamID, by.ActorID, "account."+l.column, l.accountID.String(), map[string]any{"count": len(l.values)})
	})
}

// AllowedOrigins are the sites that SetAllowedOrigins kept for a web chat
// account of any team; a Refusal not_found if there is no such account.
func (s *Store) AllowedOrigins(ctx context.Context, accountID uuid.UUID) (origins []string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT allowed_origins FROM channel_accounts WHERE id = $1 AND channel = $2`, accountID, string(omniflow.Webchat)).Scan(&origins)
	return origins, oneRow(err, "channel account", accountID)
}

// menuTexts are the texts of the menus that were set in LINE, by account.
func menuTexts(ctx context.Context, tx pgx.Tx, accounts []uuid.UUID) (map[uuid.UUID][]string, error) {
	out := map[uuid.UUID][]string{}
	rows, _ := tx.Query(ctx, `SELECT id, menu_texts FROM channel_accounts WHERE id = ANY ($1) AND menu_texts <> '{}'`, accounts)
	var id uuid.UUID
	var texts []string
	_, err := pgx.ForEachRow(rows, []any{&id, &texts}, func() error {
		out[id], texts = texts, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load menus: %w", err)
	}
	return out, nil
}
