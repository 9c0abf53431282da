package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// SaveMedia stores what is known of an uploaded file. Storing it again changes
// nothing.
func (s *Store) SaveMedia(ctx context.Context, teamID, memberID uuid.UUID, m omniflow.Media) error {
	return s.saveMedia(ctx, teamID, &memberID, m)
}

// SaveCustomerMedia is SaveMedia for a file that a customer sent.
func (s *Store) SaveCustomerMedia(ctx context.Context, teamID uuid.UUID, m omniflow.Media) error {
	return s.saveMedia(ctx, teamID, nil, m)
}

func (s *Store) saveMedia(ctx context.Context, teamID uuid.UUID, memberID *uuid.UUID, m omniflow.Media) error {
	return s.inTeam(ctx, teamID, func(tx pgx.Tx) error { return insertMedia(ctx, tx, teamID, memberID, m) })
}

// insertMedia stores a file of a member, or with nil of a customer.
func insertMedia(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, memberID *uuid.UUID, m omniflow.Media) error {
	_, err := tx.Exec(ctx, `
INSERT INTO media (id, team_id, member_id, kind, mime, name, bytes, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
		m.ID, teamID, memberID, m.Kind, m.MIME, storable(m.Name), m.Bytes, m.SHA256)
	if err != nil {
		return fmt.Errorf("store media %s: %w", m.ID, err)
	}
	return nil
}

const mediaColumns = `m.id, m.kind, m.mime, m.name, m.bytes, m.sha256`

func scanMedia(row pgx.CollectableRow) (m omniflow.Media, err error) {
	err = row.Scan(&m.ID, &m.Kind, &m.MIME, &m.Name, &m.Bytes, &m.SHA256)
	return m, err
}

// FindMedia loads a file of a team, or returns a Refusal not_found.
func (s *Store) FindMedia(ctx context.Context, teamID, id uuid.UUID) (omniflow.Media, error) {
	var out omniflow.Media
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+mediaColumns+` FROM media m WHERE m.team_id = $1 AND m.id = $2`, teamID, id)
		m, err := pgx.CollectExactlyOneRow(rows, scanMedia)
		out = m
		return oneRow(err, "media", id)
	})
	return out, err
}

// PublicMedia loads a file of any team, for whoever shows a signed address.
func (s *Store) PublicMedia(ctx context.Context, id uuid.UUID) (omniflow.Media, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+mediaColumns+` FROM media m WHERE m.id = $1`, id)
	m, err := pgx.CollectExactlyOneRow(rows, scanMedia)
	return m, oneRow(err, "media", id)
}

// mediaDue says that a file of a lane must be handed to its provider: never
// done, or so long ago that the handle lapses before the lane ends. WhatsApp's
// is good for 30 days, Messenger's for 90 (channels/*.md).
const mediaDue = `(b.state <> 'ready' OR b.handle <> '' AND b.prepared_at < now() - interval '25 days')`

// planMedia notes the files that each lane of a planned broadcast needs.
func planMedia(ctx context.Context, tx pgx.Tx, j omniflow.BroadcastJob) error {
	var ids []uuid.UUID
	var kinds []string
	for _, m := range omniflow.MediaOf(j.Request.Messages) {
		ids, kinds = append(ids, m.ID), append(kinds, string(m.Kind))
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO broadcast_media (broadcast_id, channel_account_id, media_id, kind, team_id)
		SELECT l.broadcast_id, l.channel_account_id, m.id, m.kind, l.team_id
		FROM broadcast_lanes l CROSS JOIN unnest($2::uuid[], $3::text[]) AS m(id, kind) WHERE l.broadcast_id = $1`,
		j.BroadcastID, ids, kinds)
	if err != nil {
		return fmt.Errorf("plan media: %w", err)
	}
	return nil
}

// LaneMedia lists the files of a lane, Kind as they are sent; Handle is empty
// where links are sent. due lists those that are not at the provider yet.
func (s *Store) LaneMedia(ctx context.Context, lane omniflow.Lane) (ready, due []omniflow.Media, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT m.id, b.kind, m.mime, m.name, m.bytes, m.sha256, b.handle, `+mediaDue+`
		FROM broadcast_media b JOIN media m ON m.id = b.media_id
		WHERE b.broadcast_id = $1 AND b.channel_account_id = $2 AND b.team_id = $3 ORDER BY m.id, b.kind`,
		lane.BroadcastID, lane.ChannelAccountID, lane.TeamID)
	var m omniflow.Media
	var waits bool
	_, err = pgx.ForEachRow(rows, []any{&m.ID, &m.Kind, &m.MIME, &m.Name, &m.Bytes, &m.SHA256, &m.Handle, &waits}, func() error {
		if waits {
			due = append(due, m)
		} else {
			ready = append(ready, m)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list media of lane %s: %w", lane.ChannelAccountID, err)
	}
	return ready, due, nil
}

// MediaReady notes the handle of a file at the lane's provider. Of two that
// prepare a lane at once the later one wins: either handle will do.
func (s *Store) MediaReady(ctx context.Context, lane omniflow.Lane, m omniflow.Media, handle string) error {
	return s.setMedia(ctx, lane, m, "ready", handle, "")
}

// MediaRejected notes that the lane's provider refuses a file, and why.
func (s *Store) MediaRejected(ctx context.Context, lane omniflow.Lane, m omniflow.Media, code string) error {
	return s.setMedia(ctx, lane, m, "rejected", "", code)
}

func (s *Store) setMedia(ctx context.Context, lane omniflow.Lane, m omniflow.Media, state, handle, code string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE broadcast_media SET state = $5, handle = $6, code = $7, prepared_at = now()
		WHERE broadcast_id = $1 AND channel_account_id = $2 AND media_id = $3 AND kind = $4`,
		lane.BroadcastID, lane.ChannelAccountID, m.ID, m.Kind, state, handle, code)
	if err != nil {
		return fmt.Errorf("note media %s of lane %s: %w", m.ID, lane.ChannelAccountID, err)
	}
	return nil
}
