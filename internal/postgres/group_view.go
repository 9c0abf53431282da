package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// GroupView is a group as the console shows it.
type GroupView struct {
	ID, ChannelAccountID, CreatorID uuid.UUID
	Name, Description               string
	ApprovalRequired                bool
	State                           omniflow.GroupState
	Code                            omniflow.Code
	CreateCall                      omniflow.CreateCall
	ProviderID, InviteLink          string
	SuspendedAt, DeletedAt          *time.Time
	ReviewUntil                     *time.Time
	CreatedAt                       time.Time
	DecidedAt                       *time.Time
	ConversationState               omniflow.ConversationState
	FollowerID                      *uuid.UUID
	Collaborates                    bool          // the viewer is a collaborator
	SendCode                        omniflow.Code // why the newest message to it failed
	Version                         int64
	ListedAt                        *time.Time
	LastMemberMessageAt             *time.Time
	LastMessageAt                   *time.Time
	Preview                         string
}

const groupViewSelect = `
SELECT g.id, g.channel_account_id, g.creator_id, g.name, g.description, g.approval_required, g.state, g.code, g.create_call,
  COALESCE(g.provider_id, '') AS provider_id, g.invite_link, g.suspended_at, g.deleted_at, g.review_until, g.created_at, g.decided_at,
  COALESCE(c.state, '') AS conversation_state, c.follower_id, COALESCE(c.version, 0) AS version, c.created_at AS listed_at,
  EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = g.id AND k.member_id = $2) AS collaborates,
  c.last_customer_message_at AS last_member_message_at, l.at AS last_message_at, COALESCE(l.preview, '') AS preview,
  COALESCE((SELECT CASE WHEN m.state = 'failed' THEN m.code END FROM messages m WHERE m.conversation_id = g.id ORDER BY m.id DESC LIMIT 1), '') AS send_code
FROM groups g LEFT JOIN conversations c ON c.id = g.id
LEFT JOIN LATERAL (
  SELECT at, preview FROM (
    (SELECT COALESCE(m.sent_at, m.attempted_at) AS at, COALESCE(k.body -> 0 ->> 'text', k.body -> 0 -> 'template' ->> 'name') AS preview
     FROM messages m JOIN contents k ON k.id = m.content_id WHERE m.conversation_id = g.id AND m.attempted_at IS NOT NULL ORDER BY m.id DESC LIMIT 1)
    UNION ALL
    (SELECT i.sent_at, i.body ->> 'text' FROM inbound_messages i WHERE i.conversation_id = g.id ORDER BY i.sent_at DESC LIMIT 1)
  ) both_ways ORDER BY at DESC LIMIT 1
) l ON true
WHERE g.team_id = $1`

// GroupQuery selects groups of a team.
type GroupQuery struct {
	TeamID, ViewerID uuid.UUID
	State            omniflow.GroupState // "": those in the conversation list, created and failed
	Page             Page
}

// ListGroups lists groups, newest first.
func (s *Store) ListGroups(ctx context.Context, q GroupQuery) ([]GroupView, error) {
	var out []GroupView
	err := s.inTeam(ctx, q.TeamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, groupViewSelect+`
  AND (($3 = '' AND g.state <> 'reviewing') OR g.state = $3) AND ($4 = '00000000-0000-0000-0000-000000000000'::uuid OR g.id < $4)
ORDER BY g.id DESC LIMIT $5`, q.TeamID, q.ViewerID, string(q.State), q.Page.After, q.Page.Limit)
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[GroupView])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return out, nil
}

// GroupMemberView is a member as the console shows it: a known contact's name,
// else the number (MEM-05).
type GroupMemberView struct {
	ID            uuid.UUID
	Phone         string // E.164
	ContactID     *uuid.UUID
	Name          string
	State         omniflow.GroupMemberState
	Code          omniflow.Code
	Since         time.Time
	LastMessageAt *time.Time
	Row           omniflow.GroupMember
}

// GroupChangeView is a change of a group as the console shows it.
type GroupChangeView struct {
	ID        uuid.UUID
	Kind      string
	State     string
	Code      omniflow.Code
	CreatedAt time.Time
	DecidedAt *time.Time
}

// GroupDetail is a group with its members and the latest changes.
type GroupDetail struct {
	GroupView
	Members []GroupMemberView
	Changes []GroupChangeView
}

// ShowGroup loads one group of a team, or a Refusal not_found. Removed members
// are left out (MEM-06).
func (s *Store) ShowGroup(ctx context.Context, teamID, viewerID, id uuid.UUID) (GroupDetail, error) {
	var out GroupDetail
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, groupViewSelect+` AND g.id = $3`, teamID, viewerID, id)
		g, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[GroupView])
		if err != nil {
			return oneRow(err, "group", id)
		}
		out.GroupView = g
		if out.Members, err = listMembers(ctx, tx, teamID, g); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, `
SELECT id, kind, state, code, created_at, decided_at FROM group_changes WHERE team_id = $1 AND group_id = $2 ORDER BY id DESC LIMIT 20`, teamID, id)
		out.Changes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[GroupChangeView])
		return err
	})
	return out, err
}

func listMembers(ctx context.Context, tx pgx.Tx, teamID uuid.UUID, g GroupView) ([]GroupMemberView, error) {
	rows, _ := tx.Query(ctx, memberSelect+`WHERE gm.team_id = $1 AND gm.group_id = $2 AND gm.state <> 'removed' ORDER BY gm.id`, teamID, g.ID, time.Now())
	members, err := pgx.CollectRows(rows, pgx.RowToStructByName[memberRow])
	if err != nil {
		return nil, fmt.Errorf("list members of group %s: %w", g.ID, err)
	}
	out := make([]GroupMemberView, len(members))
	for i, m := range members {
		out[i] = GroupMemberView{ID: m.ID, Phone: "+" + m.Phone, Name: "+" + m.Phone, State: m.State, Code: m.Code, Since: m.Since, Row: m.member()}
	}
	return out, nameMembers(ctx, tx, teamID, g.ChannelAccountID, out)
}

// nameMembers fills in who is behind the numbers, as far as contacts are known.
func nameMembers(ctx context.Context, tx pgx.Tx, teamID, accountID uuid.UUID, members []GroupMemberView) error {
	phones, place := make([]string, len(members)), map[string]int{}
	for i, m := range members {
		phones[i], place[m.Phone] = m.Phone, i
	}
	rows, _ := tx.Query(ctx, `
SELECT DISTINCT ON (p.phone) p.phone, c.id, c.name FROM unnest($3::text[]) AS p(phone)
JOIN contacts c ON c.team_id = $1 AND (c.phone = p.phone OR EXISTS (
  SELECT FROM channel_identities i WHERE i.contact_id = c.id AND i.channel_account_id = $2 AND i.external_id = ltrim(p.phone, '+')))
ORDER BY p.phone, c.name = '', c.id`, teamID, accountID, phones)
	var phone, name string
	var contact uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&phone, &contact, &name}, func() error {
		m, id := &members[place[phone]], contact
		m.ContactID = &id
		if name != "" {
			m.Name = name
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("name members: %w", err)
	}
	return nil
}

// GroupMessage is one message of a group, in or out.
type GroupMessage struct {
	ID        uuid.UUID
	Direction string // in or out
	Kind      string
	Text      string
	State     string // out: of the ledger
	Code      string
	At        time.Time
	Members   int // out: whom it went to
	Received  int // out: of these
	Read      int
	QuotedID  *uuid.UUID              // the message of the group that it answers
	Quoted    string                  // what that says
	Media     []omniflow.InboundMedia // in: its files
}

// GroupMessages lists the messages of a group, newest first.
func (s *Store) GroupMessages(ctx context.Context, teamID, groupID uuid.UUID, limit int) ([]GroupMessage, error) {
	var out []GroupMessage
	err := s.inTeam(ctx, teamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `
SELECT x.id, x.direction, x.kind, x.text, x.state, x.code, x.at, x.members, x.received, x.read, q.id, COALESCE(q.text, ''), COALESCE(f.files, '[]') FROM (
  (SELECT m.id, 'out' AS direction, k.body -> 0 ->> 'kind' AS kind,
     COALESCE(k.body -> 0 ->> 'text', k.body -> 0 -> 'template' ->> 'name', k.body -> 0 -> 'media' ->> 'name', '') AS text, m.state::text AS state,
     COALESCE(m.code, '') AS code, COALESCE(m.sent_at, m.attempted_at, to_timestamp(('x' || substr(replace(m.id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)) AS at,
     r.members, r.received, r.read, COALESCE(x.quoted_id, '') AS quoted
   FROM messages m JOIN contents k ON k.id = m.content_id LEFT JOIN conversation_messages x ON x.message_id = m.id CROSS JOIN LATERAL (
     SELECT count(*) AS members, count(received_at) AS received, count(read_at) AS read FROM group_receipts WHERE message_id = m.id) r
   WHERE m.team_id = $1 AND m.conversation_id = $2 ORDER BY m.id DESC LIMIT $3)
  UNION ALL
  (SELECT i.id, 'in', i.kind, COALESCE(i.body ->> 'text', ''), '', '', i.sent_at, 0, 0, 0, i.quoted_id
   FROM inbound_messages i WHERE i.team_id = $1 AND i.conversation_id = $2 ORDER BY i.sent_at DESC LIMIT $3)
) x LEFT JOIN LATERAL (
  SELECT m.id, COALESCE(k.body -> 0 ->> 'text', k.body -> 0 -> 'template' ->> 'name', k.body -> 0 -> 'media' ->> 'name') AS text
  FROM messages m JOIN contents k ON k.id = m.content_id WHERE x.quoted <> '' AND m.conversation_id = $2 AND m.provider_id = x.quoted
  UNION ALL
  SELECT i.id, i.body ->> 'text' FROM inbound_messages i WHERE x.quoted <> '' AND i.conversation_id = $2 AND i.provider_id = x.quoted LIMIT 1
) q ON true `+inboundFiles+` ORDER BY x.at DESC LIMIT $3`, teamID, groupID, limit)
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[GroupMessage])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list messages of group %s: %w", groupID, err)
	}
	return out, nil
}
