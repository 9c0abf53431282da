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

// Notification is one as its member reads it.
type Notification struct {
	ID             uuid.UUID
	Kind           omniflow.NotificationKind
	Text           string // in Chinese, with the names of now; "" where the seeds give none
	ConversationID uuid.UUID
	Conversation   string    // what it is called now
	ActionID       uuid.UUID // of a customer_message: the message
	CreatedAt      time.Time
	ReadAt         *time.Time
}

const notificationColumns = `
  n.id, n.kind, n.text_key, COALESCE(n.detail ->> 'n', ''), n.conversation_id, n.action_id, n.created_at, n.read_at,
  c.type, COALESCE(p.name, g.name, ''), COALESCE(p.phone, ''), COALESCE(i.external_id, ''), COALESCE(a.name, ''), COALESCE(a.role, ''), COALESCE(f.name, '')`

const notificationTables = `
JOIN conversations c ON c.id = n.conversation_id
LEFT JOIN contacts p ON p.id = c.contact_id
LEFT JOIN channel_identities i ON i.id = c.channel_identity_id
LEFT JOIN groups g ON g.id = c.id
LEFT JOIN members a ON a.id = (n.detail ->> 'actor')::uuid
LEFT JOIN members f ON f.id = (n.detail ->> 'follower')::uuid`

// collectNotifications reads rows of notificationColumns, before which more may
// stand.
func collectNotifications(rows pgx.Rows, before ...any) ([]Notification, error) {
	out := []Notification{}
	var n Notification
	var key omniflow.TextKey
	var typ omniflow.ConversationType
	var role omniflow.Role
	var count, name, phone, external, actor, follower string
	into := append(before, &n.ID, &n.Kind, &key, &count, &n.ConversationID, &n.ActionID, &n.CreatedAt, &n.ReadAt,
		&typ, &name, &phone, &external, &actor, &role, &follower)
	_, err := pgx.ForEachRow(rows, into, func() error {
		n.Conversation, n.Text = omniflow.ConversationName(typ, name, phone, external), ""
		if key != "" {
			text, err := omniflow.Render(key, map[string]string{"actor": actor, "role": role.Name(), "follower": follower, "customer": n.Conversation, "n": count})
			if err != nil {
				return err
			}
			n.Text = text
		}
		out = append(out, n)
		n.ReadAt = nil
		return nil
	})
	return out, err
}

// ListNotifications lists what a member was told, newest first, all or what is
// unread, and says how many are unread.
func (s *Store) ListNotifications(ctx context.Context, teamID, memberID uuid.UUID, unread bool, page Page) (list []Notification, left int, err error) {
	if page.After == uuid.Nil {
		page.After = uuid.Max
	}
	filter := ""
	if unread {
		filter = " AND n.read_at IS NULL"
	}
	err = s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT`+notificationColumns+` FROM notifications n`+notificationTables+`
WHERE n.team_id = $1 AND n.member_id = $2 AND n.id < $3`+filter+` ORDER BY n.id DESC LIMIT $4`, teamID, memberID, page.After, page.Limit)
		if list, err = collectNotifications(rows); err != nil {
			return err
		}
		left, err = countUnread(ctx, tx, teamID, memberID)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list notifications of member %s: %w", memberID, err)
	}
	return list, left, nil
}

func countUnread(ctx context.Context, tx pgx.Tx, teamID, memberID uuid.UUID) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM notifications WHERE team_id = $1 AND member_id = $2 AND read_at IS NULL`, teamID, memberID).Scan(&n)
	return n, err
}

// ReadNotifications notes that a member has read these and says how many are
// unread. Reading twice changes nothing.
//
// Refusals: not_found if one is not the member's; then none is read.
func (s *Store) ReadNotifications(ctx context.Context, teamID, memberID uuid.UUID, ids []uuid.UUID) (left int, err error) {
	return s.readNotifications(ctx, teamID, memberID, ids, `id = ANY ($3)`)
}

// ReadNotificationsUpTo is ReadNotifications of one and all before it.
func (s *Store) ReadNotificationsUpTo(ctx context.Context, teamID, memberID, id uuid.UUID) (left int, err error) {
	return s.readNotifications(ctx, teamID, memberID, []uuid.UUID{id}, `id <= ($3::uuid[])[1]`)
}

func (s *Store) readNotifications(ctx context.Context, teamID, memberID uuid.UUID, ids []uuid.UUID, which string) (left int, err error) {
	err = s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		var all bool
		err := tx.QueryRow(ctx, `
SELECT NOT EXISTS (SELECT FROM unnest($3::uuid[]) AS f(id) LEFT JOIN notifications n ON n.team_id = $1 AND n.member_id = $2 AND n.id = f.id WHERE n.id IS NULL)`,
			teamID, memberID, ids).Scan(&all)
		if err != nil {
			return err
		}
		if !all {
			return omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no notification with this id")
		}
		_, err = tx.Exec(ctx, `UPDATE notifications SET read_at = now() WHERE team_id = $1 AND member_id = $2 AND read_at IS NULL AND `+which, teamID, memberID, ids)
		if err != nil {
			return err
		}
		left, err = countUnread(ctx, tx, teamID, memberID)
		return err
	})
	var refusal *omniflow.Refusal
	if err != nil && !errors.As(err, &refusal) {
		err = fmt.Errorf("read notifications of member %s: %w", memberID, err)
	}
	return left, err
}
