package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// ConversationView is a conversation as one member sees it.
type ConversationView struct {
	ID                    uuid.UUID
	TeamID                uuid.UUID
	Type                  omniflow.ConversationType
	Channel               omniflow.Channel
	ChannelAccountID      uuid.UUID
	State                 omniflow.ConversationState
	FollowerID            *uuid.UUID
	FollowerName          string
	FollowedAt            *time.Time
	ClosedAt              *time.Time
	Version               int64
	ContactID             *uuid.UUID
	Name                  string // of the contact or the group
	Phone, Email, Note    string
	Tags                  []string
	ExternalID            string
	LastMessageAt         time.Time // of one without any, when it was made
	LastCustomerMessageAt *time.Time
	WaitingSince          *time.Time
	CustomerMessages      int64
	SeenByAll             int64
	Seen                  int64
	Pinned                bool
	Collaborates          bool // the viewer is a collaborator
	Collaborators         []uuid.UUID
	Bound                 bool
	ArmedUntil            *time.Time
	CreatedAt             time.Time
	Now                   time.Time
	SortKey               time.Time // of the list that it is in
}

// Relation is what viewer is to the conversation.
func (c ConversationView) Relation(viewer uuid.UUID) omniflow.Relation {
	return omniflow.Relation{Follower: c.FollowerID != nil && *c.FollowerID == viewer, Collaborator: c.Collaborates}
}

// Unread is how many of the customer's messages the viewer has not read.
func (c ConversationView) Unread() int64 {
	return omniflow.Unread(c.CustomerMessages, c.Seen, c.SeenByAll)
}

// lastMessage is what lists are sorted by; there is an index on it.
const lastMessage = `COALESCE(c.last_message_at, c.last_customer_message_at, c.created_at)`

// conversationViewColumns needs $2, the viewer.
const conversationViewColumns = `
  c.id, c.team_id, c.type, c.channel, c.channel_account_id, c.state, c.follower_id, COALESCE(f.name, '') AS follower_name, c.followed_at, c.closed_at, c.version,
  c.contact_id, COALESCE(p.name, g.name, '') AS name, COALESCE(p.phone, '') AS phone, COALESCE(p.email, '') AS email, COALESCE(p.note, '') AS note,
  COALESCE(p.tags, '{}') AS tags, COALESCE(i.external_id, '') AS external_id, ` + lastMessage + ` AS last_message_at, c.last_customer_message_at,
  c.waiting_since, c.customer_messages, c.seen_by_all, COALESCE(r.seen, 0) AS seen, n.member_id IS NOT NULL AS pinned,
  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id AND k.member_id = $2) AS collaborates,
  ARRAY(SELECT k.member_id FROM collaborators k WHERE k.conversation_id = c.id ORDER BY k.position) AS collaborators,
  EXISTS (SELECT FROM contact_bindings b WHERE b.contact_id = c.contact_id) AS bound, c.armed_until, c.created_at, now() AS now`

const conversationViewTables = `
FROM conversations c
LEFT JOIN members f ON f.id = c.follower_id
LEFT JOIN contacts p ON p.id = c.contact_id
LEFT JOIN channel_identities i ON i.id = c.channel_identity_id
LEFT JOIN groups g ON g.id = c.id
LEFT JOIN conversation_reads r ON r.conversation_id = c.id AND r.member_id = $2
LEFT JOIN conversation_pins n ON n.conversation_id = c.id AND n.member_id = $2`

// ShowConversation loads a conversation as a member with role sees it.
//
// Refusals: not_found; permission_denied with MC-16 for who may not see it.
func (s *Store) ShowConversation(ctx context.Context, teamID, viewerID uuid.UUID, role omniflow.Role, id uuid.UUID) (ConversationView, error) {
	var out ConversationView
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT `+conversationViewColumns+`, now() AS sort_key`+conversationViewTables+` WHERE c.team_id = $1 AND c.id = $3`, teamID, viewerID, id)
		c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ConversationView])
		if err != nil {
			return oneRow(err, "conversation", id)
		}
		sight := omniflow.Sighting{Type: c.Type, Role: role, Relation: c.Relation(viewerID), State: c.State, Followed: c.FollowerID != nil, Bound: c.Bound}
		if no := sight.Sees(); no != nil {
			return no
		}
		out = c
		return nil
	})
	return out, err
}
