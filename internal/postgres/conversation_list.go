package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// ConversationQuery selects conversations of a team that a member may see.
type ConversationQuery struct {
	TeamID, ViewerID uuid.UUID
	Role             omniflow.Role
	Groups           bool // the viewer may use WhatsApp groups
	omniflow.ConversationFilter
	After *ConversationCursor
	Limit int
}

// ConversationCursor is the place of a conversation in a list: the next page
// begins behind it, however the others move.
type ConversationCursor struct {
	Pinned bool
	Key    time.Time
	ID     uuid.UUID
}

// Nobody wrote, followed or waits: before and after all times.
const (
	beforeAll = `timestamptz '0001-01-01 00:00:00+00'`
	afterAll  = `timestamptz '9999-01-01 00:00:00+00'`
)

// sortKeys are the expressions of the orders, and whether large ones are first.
var sortKeys = map[omniflow.ConversationSort]struct {
	key  string
	desc bool
}{
	omniflow.NewestMessage:  {lastMessage, true},
	omniflow.OldestMessage:  {lastMessage, false},
	omniflow.NewestFollowed: {`COALESCE(CASE WHEN c.follower_id IS NOT NULL THEN COALESCE(c.followed_at, c.created_at) END, ` + beforeAll + `)`, true},
	omniflow.OldestFollowed: {`COALESCE(CASE WHEN c.follower_id IS NOT NULL THEN COALESCE(c.followed_at, c.created_at) END, ` + afterAll + `)`, false},
	omniflow.LongestWaiting: {`COALESCE(CASE WHEN c.state IN ('pending_human', 'handling') THEN c.waiting_since END, ` + afterAll + `)`, false},
}

// viewConditions are the views of CNV-04; $2 is the viewer.
var viewConditions = map[omniflow.View]string{
	omniflow.PendingHumanView: `c.state = 'pending_human'`,
	omniflow.PendingBotView:   `c.state = 'pending_bot'`,
	omniflow.MyHandling:       `c.state = 'handling' AND ` + isMine,
	omniflow.TeamHandling:     `c.state = 'handling' AND NOT ` + isMine,
	omniflow.MyClosed:         `c.state = 'closed' AND ` + isMine,
	omniflow.TeamClosed:       `c.state = 'closed' AND NOT ` + isMine,
}

const isMine = `(c.follower_id IS NOT DISTINCT FROM $2 OR EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id AND k.member_id = $2))`

// query gathers the conditions of a list and their values.
type query struct {
	where []string
	args  []any
}

// and adds a condition; each ? in it is the next value.
func (q *query) and(condition string, values ...any) {
	for _, v := range values {
		q.args = append(q.args, v)
		condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(q.args)), 1)
	}
	q.where = append(q.where, "("+condition+")")
}

// ListConversations lists conversations in the wanted order; in "my handling"
// the pinned ones are on top (PIN-02).
func (s *Store) ListConversations(ctx context.Context, in ConversationQuery) ([]ConversationView, error) {
	q := &query{args: []any{in.TeamID, in.ViewerID}, where: []string{"c.team_id = $1"}}
	in.visible(q)
	in.filter(q)
	in.search(q)
	order := sortKeys[in.Sort]
	direction, beyond := "ASC", ">"
	if order.desc {
		direction, beyond = "DESC", "<"
	}
	pinned := `(n.member_id IS NOT NULL AND false)` // ORDER BY takes no plain constant
	if in.View == omniflow.MyHandling {
		pinned = `n.member_id IS NOT NULL`
	}
	if in.After != nil {
		behind := fmt.Sprintf(`(%s, c.id) %s (?::timestamptz, ?::uuid)`, order.key, beyond)
		q.and(fmt.Sprintf(`%s = ? AND %s OR ? AND NOT (%s)`, pinned, behind, pinned), in.After.Pinned, in.After.Key, in.After.ID, in.After.Pinned)
	}
	q.args = append(q.args, in.Limit)
	statement := fmt.Sprintf(`SELECT %s, %s AS sort_key %s WHERE %s ORDER BY %s DESC, sort_key %s, c.id %s LIMIT $%d`,
		conversationViewColumns, order.key, conversationViewTables, strings.Join(q.where, " AND "), pinned, direction, direction, len(q.args))
	var out []ConversationView
	err := s.inTeam(ctx, in.TeamID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, statement, q.args...)
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[ConversationView])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	return out, nil
}

// visible is omniflow.Sighting.Sees as a condition (D-ROL-3).
func (in ConversationQuery) visible(q *query) {
	if !in.Role.SeesTeamEvents() {
		q.and(`c.state IN ('pending_human', 'pending_bot') OR `+isMine+` OR c.state = 'closed' AND c.follower_id IS NULL
  OR ? AND EXISTS (SELECT FROM contact_bindings b WHERE b.contact_id = c.contact_id)`, in.Role == omniflow.SalesManager)
	}
	if !in.Groups {
		q.and(`c.type <> 'whatsapp_group'`)
	}
}

func (in ConversationQuery) filter(q *query) {
	if in.View != "" {
		q.and(viewConditions[in.View])
	}
	if in.Channel != "" {
		q.and(`c.channel = ?`, string(in.Channel))
	}
	switch in.Type {
	case "":
	case omniflow.AnyGroup:
		q.and(`c.type <> 'one_to_one'`)
	default:
		q.and(`c.type = ?`, in.Type)
	}
	switch in.Follow {
	case omniflow.FollowedOnly:
		q.and(`c.follower_id IS NOT NULL AND NOT EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id)`)
	case omniflow.CollaborativeOnly:
		q.and(`EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id)`)
	}
	if in.Waiting {
		q.and(`c.state IN ('pending_human', 'handling') AND c.waiting_since <= now() - ?::interval`, omniflow.FirstWaitingStep)
	}
	if in.Unread {
		q.and(`c.customer_messages > GREATEST(c.seen_by_all, COALESCE(r.seen, 0))`)
	}
	if in.Member != uuid.Nil {
		q.and(`c.follower_id = ?`, in.Member)
	}
	if in.MemberRole != "" {
		q.and(`f.role = ?`, string(in.MemberRole))
	}
	if in.MemberStore != "" {
		q.and(`f.store = ?`, in.MemberStore)
	}
	if in.MemberRegion != "" {
		q.and(`f.region = ?`, in.MemberRegion)
	}
	if in.Tag != "" {
		q.and(`? = ANY (p.tags)`, in.Tag)
	}
}

// search looks for a text in what SRC-03 names, whatever its case (D-SRC-1).
// Collaborations are not searched (SRC-07, COL-39).
func (in ConversationQuery) search(q *query) {
	if in.Search == "" {
		return
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(in.Search) + "%"
	q.and(`p.name ILIKE ? OR p.phone ILIKE ? OR p.email ILIKE ? OR p.note ILIKE ? OR EXISTS (SELECT FROM unnest(p.tags) tag WHERE tag ILIKE ?)
  OR EXISTS (SELECT FROM inbound_messages w WHERE w.conversation_id = c.id AND w.body ->> 'text' ILIKE ?)
  OR EXISTS (SELECT FROM messages o JOIN contents x ON x.id = o.content_id CROSS JOIN jsonb_array_elements(x.body) part
     WHERE o.conversation_id = c.id AND part ->> 'text' ILIKE ?)`, like, like, like, like, like, like, like)
	q.and(`NOT EXISTS (SELECT FROM collaborators k WHERE k.conversation_id = c.id)`)
}
