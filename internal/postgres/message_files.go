package postgres

import (
	"context"
	"fmt"
	"time"

	"omniflow/internal/omniflow"
)

// MessageFiles lists the files that a message carries, each once as each kind
// it is sent as.
func (s *Store) MessageFiles(ctx context.Context, ref omniflow.MessageRef) (omniflow.MessageFiles, error) {
	var out omniflow.MessageFiles
	var contents []omniflow.Content
	err := s.pool.QueryRow(ctx, `
		SELECT m.channel_account_id, a.channel, m.tries, k.body FROM messages m JOIN channel_accounts a ON a.id = m.channel_account_id
		JOIN contents k ON k.id = m.content_id WHERE m.team_id = $1 AND m.id = $2`, ref.TeamID, ref.MessageID).
		Scan(&out.ChannelAccountID, &out.Channel, &out.Tries, &contents)
	out.Files = omniflow.MediaOf(contents)
	return out, oneRow(err, "message", ref.MessageID)
}

// MessageTried is PostponeMessage at the cost of one of its tries.
func (s *Store) MessageTried(ctx context.Context, ref omniflow.MessageRef, at time.Time, code omniflow.Code) error {
	_, err := s.pool.Exec(ctx, `UPDATE messages SET tries = tries + 1, due_at = now() + $3::interval, code = $4 WHERE team_id = $1 AND id = $2 AND state = 'queued'`,
		ref.TeamID, ref.MessageID, time.Until(at), string(code))
	if err != nil {
		return fmt.Errorf("note a try of message %s: %w", ref.MessageID, err)
	}
	return nil
}

// FailMessage ends a queued message that can never be sent.
func (s *Store) FailMessage(ctx context.Context, ref omniflow.MessageRef, code omniflow.Code) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE messages SET state = 'failed', code = $3, due_at = NULL WHERE team_id = $1 AND id = $2 AND state = 'queued' AND attempt_key IS NULL`,
		ref.TeamID, ref.MessageID, string(code))
	if err != nil {
		return fmt.Errorf("fail message %s: %w", ref.MessageID, err)
	}
	return nil
}
