package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"omniflow/internal/omniflow"
)

const (
	// notificationsAtOnce bounds how many that are newer than all before one
	// look brings.
	notificationsAtOnce = 200
	// lateBy bounds, in milliseconds, how long after a notification has got its
	// id its transaction may commit for a stream to see it: ten times what a
	// session may sit idle in one.
	lateBy = 5 * 60 * 1000
)

// NotificationPlace is how far a stream of notifications has come: every one
// that Snapshot sees, with an id up to Last, was delivered. An id alone would
// not do: a transaction may commit after another whose ids are later, and what
// it tells would be passed over for ever.
type NotificationPlace struct {
	Last     uuid.UUID
	Snapshot string // pg_snapshot
}

// String is the place as a client keeps it.
func (p NotificationPlace) String() string { return p.Last.String() + ":" + p.Snapshot }

// ParseNotificationPlace reads what String wrote. Refusal input_invalid; of a
// broken snapshot NewNotifications tells.
func ParseNotificationPlace(s string) (NotificationPlace, error) {
	id, snapshot, _ := strings.Cut(s, ":")
	last, err := uuid.Parse(id)
	if err != nil || snapshot == "" {
		return NotificationPlace{}, badPlace()
	}
	return NotificationPlace{Last: last, Snapshot: snapshot}, nil
}

func badPlace() *omniflow.Refusal {
	return omniflow.Refuse(omniflow.InvalidInput, "SYS-02", "this is not an id of the stream of notifications")
}

// floor is the least id that may still turn up behind the place.
func (p NotificationPlace) floor() uuid.UUID {
	at := binary.BigEndian.Uint64(p.Last[:8]) >> 16 // UUIDv7: the first 48 bits are milliseconds
	var out uuid.UUID
	binary.BigEndian.PutUint64(out[:8], (at-min(at, lateBy))<<16)
	return out
}

// NewestNotification is the place behind all that a member has been told.
func (s *Store) NewestNotification(ctx context.Context, teamID, memberID uuid.UUID) (NotificationPlace, error) {
	var p NotificationPlace
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
SELECT COALESCE((SELECT n.id FROM notifications n WHERE n.team_id = $1 AND n.member_id = $2 ORDER BY n.id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000'),
  pg_current_snapshot()::text`, teamID, memberID).Scan(&p.Last, &p.Snapshot)
	})
	if err != nil {
		return p, fmt.Errorf("find newest notification of member %s: %w", memberID, err)
	}
	return p, nil
}

// NewNotifications are those of an active member that were committed since a
// place, oldest first, and the place behind them: each is given once, whatever
// the order of commits, unless its transaction took longer than lateBy. There
// may be more where there are notificationsAtOnce.
//
// Refusal input_invalid: no place of a stream.
func (s *Store) NewNotifications(ctx context.Context, teamID, memberID uuid.UUID, p NotificationPlace) ([]Notification, NotificationPlace, error) {
	var list []Notification
	next := p
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `
WITH fresh AS (
  SELECT * FROM notifications WHERE team_id = $1 AND member_id = $2 AND id > $3 AND id <= $4 AND NOT pg_visible_in_snapshot(xact, $5::text::pg_snapshot)
  UNION ALL
  (SELECT * FROM notifications WHERE team_id = $1 AND member_id = $2 AND id > $4 ORDER BY id LIMIT $6))
SELECT pg_current_snapshot()::text,`+notificationColumns+` FROM fresh n JOIN members m ON m.id = n.member_id AND m.state = 'active'`+notificationTables+`
ORDER BY n.id`, teamID, memberID, p.floor(), p.Last, p.Snapshot, notificationsAtOnce)
		list, err = collectNotifications(rows, &next.Snapshot)
		return err
	})
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "22P02" {
		return nil, p, badPlace()
	}
	if err != nil {
		return nil, p, fmt.Errorf("find new notifications of member %s: %w", memberID, err)
	}
	if len(list) == 0 {
		return nil, p, nil
	}
	if last := list[len(list)-1].ID; strings.Compare(last.String(), p.Last.String()) > 0 {
		next.Last = last
	}
	return list, next, nil
}
