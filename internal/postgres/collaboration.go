package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// CollaborationChange is what a member asks for about the collaborators of a
// conversation, a group's like any other.
type CollaborationChange struct {
	TeamID, ConversationID, ActorID uuid.UUID
	Operation                       omniflow.Collaboration
	MemberIDs                       []uuid.UUID // to add or to remove
	ActionID                        uuid.UUID   // makes it once
}

// Collaborate changes who collaborates, in one transaction that holds the
// conversation: of two who fill the last place at once one is refused. All
// members are added or removed, or none. The same action again changes nothing.
//
// Refusals: those of omniflow.Collaborate; not_found.
func (s *Store) Collaborate(ctx context.Context, ch CollaborationChange) error {
	err := s.inTeam(ctx, ch.TeamID, func(tx pgx.Tx) error {
		c, err := lockConversation(ctx, tx, ch.TeamID, ch.ConversationID)
		if err != nil {
			return err
		}
		done, err := logged(ctx, tx, ch.ConversationID, ch.ActionID)
		if err != nil || done {
			return err
		}
		in, err := ch.situation(ctx, tx, c)
		if err != nil {
			return err
		}
		if no := omniflow.Collaborate(in, ch.Operation); no != nil {
			return no
		}
		return ch.commit(ctx, tx, c)
	})
	return sendError(string(ch.Operation)+" collaborators of", ch.ConversationID, err)
}

// situation gathers what the rules ask; who joins or leaves is the one member.
func (ch *CollaborationChange) situation(ctx context.Context, tx pgx.Tx, c conversationRow) (omniflow.CollaborationSituation, error) {
	in := omniflow.CollaborationSituation{}
	var err error
	if in.ConversationSituation, err = c.situation(ctx, tx, conversationStep{ActorID: ch.ActorID}); err != nil {
		return in, err
	}
	err = tx.QueryRow(ctx, `
SELECT $3 = ANY (t.flags), (SELECT count(*) FROM collaborators k WHERE k.conversation_id = $2) FROM teams t WHERE t.team_id = $1`,
		c.TeamID, c.ID, string(omniflow.CollaborationEnabled)).Scan(&in.Enabled, &in.Present)
	if err != nil {
		return in, err
	}
	if c.Type == omniflow.WhatsAppGroup {
		err = tx.QueryRow(ctx, `SELECT state FROM groups WHERE team_id = $1 AND id = $2`, c.TeamID, c.ID).Scan(&in.Group.State)
		if err != nil {
			return in, oneRow(err, "group", c.ID)
		}
	}
	if ch.Operation == omniflow.JoinMembers || ch.Operation == omniflow.LeaveMembers {
		ch.MemberIDs = []uuid.UUID{ch.ActorID}
	}
	in.Members, err = ch.members(ctx, tx, c)
	return in, err
}

// members are those named, in the order of the list: as they were named when
// they are added, by rank when they go (D-COL-4, D-COL-7).
func (ch *CollaborationChange) members(ctx context.Context, tx pgx.Tx, c conversationRow) ([]omniflow.CollaborationMember, error) {
	rows, _ := tx.Query(ctx, `
SELECT m.id, m.role, m.state = 'active', m.id IS NOT DISTINCT FROM $4, k.member_id IS NOT NULL
FROM unnest($2::uuid[]) WITH ORDINALITY AS n(id, place) JOIN members m ON m.id = n.id AND m.team_id = $1
LEFT JOIN collaborators k ON k.conversation_id = $3 AND k.member_id = m.id
ORDER BY CASE WHEN $5 THEN k.position END, n.place`, c.TeamID, ch.MemberIDs, c.ID, c.FollowerID, ch.Operation == omniflow.RemoveMembers)
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[omniflow.CollaborationMember])
	if err != nil {
		return nil, fmt.Errorf("load members: %w", err)
	}
	ids := make([]uuid.UUID, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	for _, id := range ch.MemberIDs {
		if !slices.Contains(ids, id) {
			return nil, omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no member %s", id)
		}
	}
	ch.MemberIDs = ids
	return members, nil
}

// commit writes a permitted change with its log, system message, notifications
// and audit.
func (ch *CollaborationChange) commit(ctx context.Context, tx pgx.Tx, c conversationRow) error {
	write := ch.drop
	if ch.Operation == omniflow.AddMembers || ch.Operation == omniflow.JoinMembers {
		write = ch.add
	}
	if err := write(ctx, tx, c); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE conversations SET version = version + 1 WHERE team_id = $1 AND id = $2`, c.TeamID, c.ID); err != nil {
		return fmt.Errorf("count version: %w", err)
	}
	for _, id := range ch.MemberIDs { // who comes starts with nothing unread (D-UNR-1); who goes leaves nothing unread behind
		if err := markSeen(ctx, tx, c.TeamID, c.ID, id); err != nil {
			return err
		}
	}
	if err := ch.log(ctx, tx); err != nil {
		return err
	}
	if err := ch.notify(ctx, tx, c); err != nil {
		return err
	}
	return audit(ctx, tx, ch.TeamID, ch.ActorID, "conversation.collaborators_"+string(ch.Operation), ch.ConversationID.String(),
		map[string]any{"members": ch.MemberIDs})
}

// add appends the members to the list, in the order given (D-COL-4). A pin of
// the follower stays (PIN-05).
func (ch *CollaborationChange) add(ctx context.Context, tx pgx.Tx, c conversationRow) error {
	_, err := tx.Exec(ctx, `
INSERT INTO collaborators (conversation_id, member_id, team_id, position)
SELECT $1, n.id, $2, n.place + COALESCE((SELECT max(k.position) FROM collaborators k WHERE k.conversation_id = $1), 0)
FROM unnest($3::uuid[]) WITH ORDINALITY AS n(id, place)`, c.ID, c.TeamID, ch.MemberIDs)
	if err != nil {
		return fmt.Errorf("add collaborators: %w", err)
	}
	return nil
}

// drop takes the members off the list, with their pins (D-PIN-1); the run hears
// of it, for a pin may have held the automatic ending back.
func (ch *CollaborationChange) drop(ctx context.Context, tx pgx.Tx, c conversationRow) error {
	_, err := tx.Exec(ctx, `DELETE FROM collaborators WHERE conversation_id = $1 AND member_id = ANY ($2)`, c.ID, ch.MemberIDs)
	if err != nil {
		return fmt.Errorf("remove collaborators: %w", err)
	}
	if err := dropPins(ctx, tx, c.TeamID, c.ID); err != nil {
		return err
	}
	return wakeConversation(ctx, tx, c.ref(), time.Time{})
}

// log writes the state log entry and the system message.
func (ch *CollaborationChange) log(ctx context.Context, tx pgx.Tx) error {
	log, system := omniflow.CollaborationTexts(ch.Operation, len(ch.MemberIDs))
	entry := logEntry{TeamID: ch.TeamID, ConversationID: ch.ConversationID, ActionID: ch.ActionID, Event: "collaborators_" + string(ch.Operation),
		TextKey: log, ActorID: ch.ActorID, Detail: map[string]any{"actor": ch.ActorID, "m1": ch.MemberIDs[0], "members": ch.MemberIDs}}
	if err := logConversation(ctx, tx, entry); err != nil {
		return err
	}
	entry.Kind, entry.TextKey = "system", system
	return logConversation(ctx, tx, entry)
}
