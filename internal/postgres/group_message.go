package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// NewGroupMessage is a message that a member sends to a group.
type NewGroupMessage struct {
	ID, TeamID, GroupID, ActorID uuid.UUID
	Content                      omniflow.Content // frozen and checked for groups
	QuotedID                     uuid.UUID        // of a message of the group that it answers; zero: none
}

// SendGroupMessage is SendConversationMessage for a WhatsApp group: it checks
// the group and the sender, queues the message and wakes the run of the group's
// conversation, which hands it over in order, ends the wait and counts the
// silence from it as in any other (WTG-04, CLS-02).
//
// Refusals: not_found, those of omniflow.PermitGroupMessage,
// quoted_message_not_found.
func (s *Store) SendGroupMessage(ctx context.Context, m NewGroupMessage) (*Signal, error) {
	var out *Signal
	err := s.inTeam(ctx, m.TeamID, func(tx pgx.Tx) error {
		var there bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM messages WHERE team_id = $1 AND id = $2)`, m.TeamID, m.ID).Scan(&there)
		if err != nil || there {
			return err
		}
		if err := permitToGroup(ctx, tx, m.TeamID, m.GroupID, m.ActorID, m.Content); err != nil {
			return err
		}
		c, err := lockConversation(ctx, tx, m.TeamID, m.GroupID)
		if err != nil {
			return err
		}
		quoted, err := quotedMessage(ctx, tx, c, m.QuotedID)
		if err != nil {
			return err
		}
		if err := replySeen(ctx, tx, c, m.ActorID); err != nil {
			return err
		}
		out, err = queueAndWake(ctx, tx, conversationMessage{ID: m.ID, TeamID: m.TeamID, ConversationID: m.GroupID, SenderID: m.ActorID,
			Origin: omniflow.OriginAgent, Contents: []omniflow.Content{m.Content}, QuotedID: quoted})
		return err
	})
	return out, sendError("send to group", m.GroupID, err)
}

// permitToGroup holds the group and its conversation, and asks whether the
// member may send contents to it now.
func permitToGroup(ctx context.Context, tx pgx.Tx, teamID, groupID, memberID uuid.UUID, contents ...omniflow.Content) error {
	g, err := lockGroup(ctx, tx, teamID, groupID)
	if err != nil {
		return err
	}
	in, err := situation(ctx, tx, g, memberID)
	if err != nil {
		return err
	}
	var participantsOnly bool
	var last *time.Time
	var now time.Time
	err = tx.QueryRow(ctx, `
		SELECT $3 = ANY (t.flags), (SELECT c.last_customer_message_at FROM conversations c WHERE c.id = $2), clock_timestamp() FROM teams t WHERE t.team_id = $1`,
		teamID, groupID, string(omniflow.CollaborationEnabled)).Scan(&participantsOnly, &last, &now)
	if err != nil {
		return err
	}
	for _, c := range contents {
		if no := omniflow.PermitGroupMessage(in, c.Kind, participantsOnly, last, now); no != nil {
			return no
		}
	}
	return nil
}
