package postgres

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// ConversationItem is one message of a conversation, ours or the customer's.
type ConversationItem struct {
	ID         uuid.UUID
	Direction  string // in or out
	At         time.Time
	Kind       string
	Text       string
	Contents   []omniflow.Content // out: as they were sent
	Origin     omniflow.Origin    // out: "" for a broadcast's
	SenderID   *uuid.UUID         // out, of a member
	Sender     string             // name
	QuotedID   string             // provider's id of the message it answers
	ProviderID string
	State      string // out
	Code       string // out: why it failed, or waits
	SentAt     *time.Time
	ReceivedAt *time.Time
	ReadAt     *time.Time
	Sticker    *omniflow.LINESticker   // in: of LINE
	Quoted     *uuid.UUID              // the message of the conversation that it answers, if we have it
	QuotedText string                  // what that says, where the channel shows it (QUO-01)
	Media      []omniflow.InboundMedia // in: its files
}

// Cursor is a place in a conversation: before it come older messages.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// ConversationMessages lists the messages of a conversation that a member may
// see, newest first: those before the cursor, or with none the newest.
//
// Refusals: not_found; permission_denied for who may not see it.
func (s *Store) ConversationMessages(ctx context.Context, teamID, id, memberID uuid.UUID, before Cursor, limit int) ([]ConversationItem, error) {
	var out []ConversationItem
	if before.ID == uuid.Nil {
		before = Cursor{At: time.Now().Add(time.Hour), ID: uuid.Max}
	}
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		c, in, err := seeConversation(ctx, tx, teamID, id, memberID)
		if err != nil {
			return err
		}
		if no := in.Sighting().Sees(); no != nil {
			return no
		}
		rows, _ := tx.Query(ctx, conversationItems, id, before.At, before.ID, newestID(before.At), limit, omniflow.ShowsQuoted(c.Channel))
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ConversationItem])
		return err
	})
	return out, sendError("list messages of", id, err)
}

// sentText is what a message m with content k says: its text or the name of its
// template, a broadcast's with the name that its customer got.
const sentText = `replace(COALESCE(k.body -> 0 ->> 'text', k.body -> 0 -> 'template' ->> 'name', ''), '` + omniflow.CustomerName + `', COALESCE(m.personal, '` + omniflow.CustomerName + `'))`

// conversationItems merges what was sent, by the time in its id, with what was
// received. Of a broadcast's it shows what left.
const conversationItems = `
SELECT x.*, q.id, CASE WHEN $6 THEN COALESCE(q.text, '') ELSE '' END, COALESCE(f.files, '[]') FROM (
  (SELECT m.id, 'out', to_timestamp(('x' || substr(replace(m.id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) AS at,
     k.body -> 0 ->> 'kind', ` + sentText + `, k.body,
     COALESCE(x.origin, ''), x.sender_id, COALESCE(n.name, ''), COALESCE(x.quoted_id, '') AS quoted, COALESCE(m.provider_id, ''), m.state::text, COALESCE(m.code, ''),
     m.sent_at, m.received_at, m.read_at, NULL::jsonb
   FROM messages m JOIN contents k ON k.id = m.content_id LEFT JOIN conversation_messages x ON x.message_id = m.id LEFT JOIN members n ON n.id = x.sender_id
   WHERE m.conversation_id = $1 AND m.id <= $4 AND (m.broadcast_id IS NULL OR m.attempted_at IS NOT NULL)
     AND (to_timestamp(('x' || substr(replace(m.id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0), m.id) < ($2, $3)
   ORDER BY m.id DESC LIMIT $5)
  UNION ALL
  (SELECT i.id, 'in', i.sent_at, i.kind, COALESCE(i.body ->> 'text', ''), '[]', '', NULL, '', i.quoted_id, i.provider_id, '', '', NULL, NULL, NULL, i.body -> 'sticker'
   FROM inbound_messages i WHERE i.conversation_id = $1 AND i.sent_at <= $2 AND (i.sent_at, i.id) < ($2, $3) ORDER BY i.sent_at DESC, i.id DESC LIMIT $5)
) x LEFT JOIN LATERAL (
  SELECT m.id, COALESCE(NULLIF(` + sentText + `, ''), k.body -> 0 -> 'media' ->> 'name') AS text
  FROM messages m JOIN contents k ON k.id = m.content_id WHERE x.quoted <> '' AND m.conversation_id = $1 AND m.provider_id = x.quoted
  UNION ALL
  SELECT i.id, i.body ->> 'text' FROM inbound_messages i WHERE x.quoted <> '' AND i.conversation_id = $1 AND i.provider_id = x.quoted LIMIT 1
) q ON true ` + inboundFiles + ` ORDER BY x.at DESC, x.id DESC LIMIT $5`

// newestID is the greatest id that was made at the given time.
func newestID(at time.Time) uuid.UUID {
	id := uuid.Max
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

// seeConversation is holdFor without holding anything.
func seeConversation(ctx context.Context, tx pgx.Tx, teamID, id, memberID uuid.UUID) (conversationRow, omniflow.ConversationSituation, error) {
	rows, _ := tx.Query(ctx, `
SELECT c.id, c.team_id, c.type, c.channel, c.state, c.follower_id, COALESCE(m.name, '') AS follower, c.version, c.contact_id,
  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id) AS collaborators, now() AS now
FROM conversations c LEFT JOIN members m ON m.id = c.follower_id WHERE c.team_id = $1 AND c.id = $2`, teamID, id)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[conversationRow])
	if err != nil {
		return c, omniflow.ConversationSituation{}, oneRow(err, "conversation", id)
	}
	in, err := c.situation(ctx, tx, conversationStep{ActorID: memberID})
	return c, in, err
}

// ReplyTarget is where a member's message would go.
type ReplyTarget struct {
	Channel          omniflow.Channel
	ChannelAccountID uuid.UUID
	WABAID           string // of a WhatsApp account
}

// FindReplyTarget tells where a conversation's messages go. Refusals:
// not_found, and those of omniflow.Reply for a member who may not write now.
func (s *Store) FindReplyTarget(ctx context.Context, teamID, id, memberID uuid.UUID) (ReplyTarget, error) {
	var out ReplyTarget
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		_, reply, err := holdForReply(ctx, tx, teamID, id, memberID)
		if err != nil {
			return err
		}
		if no := reply.Permit(nil, time.Now()); no != nil {
			return no
		}
		return tx.QueryRow(ctx, `SELECT c.channel, a.id, a.waba_id FROM conversations c JOIN channel_accounts a ON a.id = c.channel_account_id WHERE c.id = $1`, id).
			Scan(&out.Channel, &out.ChannelAccountID, &out.WABAID)
	})
	return out, sendError("look at", id, err)
}
