package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// inboundBody is what is kept of a customer's message beside its files.
func inboundBody(m omniflow.CustomerMessage) map[string]any {
	body := map[string]any{"text": storable(m.Text)}
	if m.Sticker != nil {
		body["sticker"] = omniflow.LINESticker{PackageID: storable(m.Sticker.PackageID), StickerID: storable(m.Sticker.StickerID), Displayable: m.Sticker.Displayable}
	}
	return body
}

// noteInboundMedia notes the files of a customer's message that was stored just
// now, to be fetched. One that the provider does not give is unavailable at
// once (FIL-08), and one of web chat is here already.
func noteInboundMedia(ctx context.Context, tx pgx.Tx, messageID uuid.UUID, m omniflow.CustomerMessage) error {
	for part, ref := range m.Media {
		state, code := omniflow.MediaPending, omniflow.Code("")
		switch {
		case ref.MediaID != uuid.Nil:
			state = omniflow.MediaStored
		case ref.Handle == "":
			state, code = omniflow.MediaLost, omniflow.MediaUnavailable
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO inbound_media (inbound_message_id, part, team_id, channel_account_id, handle, kind, name, state, code, media_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			messageID, part, m.TeamID, m.ChannelAccountID, storable(ref.Handle), storable(ref.Kind), storable(ref.Name), state, code, orNil(ref.MediaID))
		if err != nil {
			return fmt.Errorf("note file %d of message %s: %w", part, messageID, err)
		}
	}
	return nil
}

// inboundFiles joins f.files: the files of the customer's message x, in its order.
const inboundFiles = `LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('id', i.media_id, 'kind', i.kind, 'mime', COALESCE(d.mime, ''), 'name', COALESCE(NULLIF(i.name, ''), d.name, ''),
    'state', i.state, 'code', i.code) ORDER BY i.part) AS files
  FROM inbound_media i LEFT JOIN media d ON d.id = i.media_id WHERE i.inbound_message_id = x.id
) f ON true`

// ClaimInboundMedia takes up to n files that are due, and gives each to nobody
// else for the time of lease: whoever dies with one leaves it to the next.
func (s *Store) ClaimInboundMedia(ctx context.Context, n int, lease time.Duration) ([]omniflow.InboundFile, error) {
	rows, _ := s.pool.Query(ctx, `
		UPDATE inbound_media f SET tries = f.tries + 1, due_at = now() + $2::interval
		FROM channel_accounts a,
		  (SELECT inbound_message_id, part FROM inbound_media WHERE state = 'pending' AND due_at <= now()
		   ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED) d
		WHERE f.inbound_message_id = d.inbound_message_id AND f.part = d.part AND a.id = f.channel_account_id
		RETURNING f.inbound_message_id AS message_id, f.part, f.team_id, f.channel_account_id, a.channel, f.handle, f.name, f.tries, f.born_at`, n, lease)
	files, err := pgx.CollectRows(rows, pgx.RowToStructByName[omniflow.InboundFile])
	if err != nil {
		return nil, fmt.Errorf("claim files of customers: %w", err)
	}
	return files, nil
}

// FinishInboundMedia notes what became of a claimed file, with the file itself
// if it is kept; false: somebody else has claimed it since.
func (s *Store) FinishInboundMedia(ctx context.Context, f omniflow.InboundFile, r omniflow.InboundFileResult) (bool, error) {
	changed := false
	err := s.inTeam(ctx, f.TeamID, func(tx pgx.Tx) error {
		var media *uuid.UUID
		if r.Media != nil {
			media = &r.Media.ID
			if err := insertMedia(ctx, tx, f.TeamID, nil, *r.Media); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, `
			UPDATE inbound_media SET state = $4, code = $5, media_id = $6, due_at = COALESCE($7, due_at)
			WHERE inbound_message_id = $1 AND part = $2 AND tries = $3 AND state = 'pending'`,
			f.MessageID, f.Part, f.Tries, r.State, r.Code, media, orNull(r.DueAt))
		changed = tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("note file %d of message %s: %w", f.Part, f.MessageID, err)
	}
	return changed, nil
}
