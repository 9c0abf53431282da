package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// BeginGroupCall claims the one create call of a group and commits before it
// returns: mine says that the caller makes it. A claim that is found under way
// is that of a process that died, or whose answer was lost: the group was
// perhaps made, and is looked for from now on.
func (s *Store) BeginGroupCall(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, bool, error) {
	mine := false
	g, err := s.changeGroup(ctx, teamID, id, func(tx pgx.Tx, g groupRow) error {
		if g.CreateCall == omniflow.CallUnderWay {
			return loseGroupCall(ctx, tx, g)
		}
		tag, err := tx.Exec(ctx, `
			UPDATE groups SET create_call = 'calling', called_at = now(), next_at = NULL
			WHERE id = $1 AND state = 'reviewing' AND create_call = 'due' AND (next_at IS NULL OR next_at <= now())`, id)
		mine = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return omniflow.Group{}, false, fmt.Errorf("claim create call of group %s: %w", id, err)
	}
	return g, mine, nil
}

// loseGroupCall notes that a create call was perhaps made. The review runs
// from the call, and a webhook that came meanwhile may tell.
func loseGroupCall(ctx context.Context, tx pgx.Tx, g groupRow) error {
	_, err := tx.Exec(ctx, `
		UPDATE groups SET create_call = 'unknown', tries = 0, next_at = now(), review_until = COALESCE(called_at, now()) + $2::interval
		WHERE id = $1 AND state = 'reviewing' AND create_call = 'calling'`, g.ID, g.GroupReviewTimeout)
	if err != nil {
		return err
	}
	return adoptParked(ctx, tx, g)
}

// GroupCallLost notes that the answer of the create call was lost.
func (s *Store) GroupCallLost(ctx context.Context, teamID, id uuid.UUID) (omniflow.Group, error) {
	g, err := s.changeGroup(ctx, teamID, id, func(tx pgx.Tx, g groupRow) error { return loseGroupCall(ctx, tx, g) })
	if err != nil {
		return g, fmt.Errorf("lose create call of group %s: %w", id, err)
	}
	return g, nil
}

// GroupCallAccepted notes that the provider reviews the group under requestID.
// A webhook that was faster is applied now.
func (s *Store) GroupCallAccepted(ctx context.Context, teamID, id uuid.UUID, requestID string) (omniflow.Group, error) {
	accept := func(tx pgx.Tx, g groupRow) error {
		_, err := tx.Exec(ctx, `
			UPDATE groups SET create_call = 'accepted', tries = 0, next_at = NULL, request_id = COALESCE(request_id, NULLIF($2, '')),
			  review_until = COALESCE(called_at, now()) + $3::interval
			WHERE id = $1 AND create_call IN ('calling', 'unknown')`, id, requestID, g.GroupReviewTimeout)
		if err != nil || requestID == "" {
			return err
		}
		event, err := meet(ctx, tx, g.TeamID, g.ChannelAccountID, requestID, g.ID)
		if err != nil || event == nil {
			return err
		}
		_, err = applyCreation(ctx, tx, g, *event)
		return err
	}
	var g omniflow.Group
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := holdRendezvous(ctx, tx, requestID)
		if err == nil {
			g, err = changeGroupIn(ctx, tx, teamID, id, accept)
		}
		return err
	})
	if err != nil {
		return g, fmt.Errorf("record create call of group %s: %w", id, err)
	}
	return g, nil
}

// GroupCallAgain gives the create call back: it surely was not taken, and is
// due again at the given time. counts says that it cost one of the five tries.
func (s *Store) GroupCallAgain(ctx context.Context, teamID, id uuid.UUID, at time.Time, counts bool) (omniflow.Group, error) {
	g, err := s.changeGroup(ctx, teamID, id, func(tx pgx.Tx, _ groupRow) error {
		_, err := tx.Exec(ctx, `
			UPDATE groups SET create_call = 'due', next_at = $2, tries = tries + CASE WHEN $3 THEN 1 ELSE 0 END
			WHERE id = $1 AND state = 'reviewing' AND create_call = 'calling'`, id, at, counts)
		return err
	})
	if err != nil {
		return g, fmt.Errorf("give back create call of group %s: %w", id, err)
	}
	return g, nil
}

// GroupNotFound notes that the provider lists no such group: it is looked for
// again later. A lost call is made again only where the team's policy says so.
func (s *Store) GroupNotFound(ctx context.Context, teamID, id uuid.UUID, nextAt time.Time) (omniflow.Group, error) {
	g, err := s.changeGroup(ctx, teamID, id, func(tx pgx.Tx, g groupRow) error {
		_, err := tx.Exec(ctx, `
			UPDATE groups SET tries = tries + 1, next_at = CASE WHEN $3 = 'resend' AND now() >= called_at + $4::interval THEN NULL ELSE $2 END,
			  create_call = CASE WHEN $3 = 'resend' AND now() >= called_at + $4::interval THEN 'due' ELSE create_call END
			WHERE id = $1 AND state = 'reviewing' AND create_call = 'unknown'`, id, nextAt, string(g.OnUnknown), g.ReconcileAfter)
		return err
	})
	if err != nil {
		return g, fmt.Errorf("note absence of group %s: %w", id, err)
	}
	return g, nil
}

// DecideGroup ends a review; a result that the table of section 10 does not
// know in the group's state changes nothing.
func (s *Store) DecideGroup(ctx context.Context, teamID, id uuid.UUID, r omniflow.GroupResult, code omniflow.Code, providerID, link string) (omniflow.Group, error) {
	g, err := s.changeGroup(ctx, teamID, id, func(tx pgx.Tx, g groupRow) error {
		_, err := decideGroup(ctx, tx, g, r, code, providerID, link)
		return err
	})
	if err != nil {
		return g, fmt.Errorf("decide group %s: %w", id, err)
	}
	return g, nil
}

// decideGroup applies the result of a review to a locked group: its state, its
// conversation, the log, and the invitations. It returns whether it changed
// anything.
func decideGroup(ctx context.Context, tx pgx.Tx, g groupRow, r omniflow.GroupResult, code omniflow.Code, providerID, link string) (bool, error) {
	next, changed := omniflow.NextGroupState(g.State, g.Code, r)
	if !changed {
		_, err := tx.Exec(ctx, `UPDATE groups SET duplicates = duplicates + 1 WHERE id = $1`, g.ID)
		return false, err
	}
	if next == omniflow.GroupCreated {
		code = ""
	}
	_, err := tx.Exec(ctx, `
		UPDATE groups SET state = $2, code = $3, provider_id = NULLIF($4, ''), invite_link = $5, decided_at = now(), next_at = NULL,
		  create_call = CASE WHEN $2 = 'created' THEN 'accepted' ELSE create_call END
		WHERE id = $1`, g.ID, string(next), string(code), providerID, link)
	if err != nil {
		return false, err
	}
	if err := openGroupConversation(ctx, tx, g, next); err != nil {
		return false, err
	}
	if next == omniflow.GroupCreated {
		if err := wakeMembers(ctx, tx, g.TeamID, g.ID); err != nil {
			return false, err
		}
	}
	err = logConversation(ctx, tx, logEntry{TeamID: g.TeamID, ConversationID: g.ID, ActionID: newID(), Event: "group_" + string(next),
		Detail: map[string]any{"code": code}})
	return err == nil, err
}

// openGroupConversation puts the group into the list: handled by its creator
// (GRP-19, D-GRP-5), or by nobody, if a created group's creator has gone (D-GRP-8).
func openGroupConversation(ctx context.Context, tx pgx.Tx, g groupRow, next omniflow.GroupState) error {
	state, follower := omniflow.Handling, &g.CreatorID
	if next == omniflow.GroupCreated && !g.CreatorActive {
		state, follower = omniflow.PendingHuman, nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO conversations AS c (id, team_id, channel_account_id, channel, type, state, follower_id)
		VALUES ($1, $2, $3, 'whatsapp', 'whatsapp_group', $4, $5)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, follower_id = excluded.follower_id, version = c.version + 1, created_at = now()`,
		g.ID, g.TeamID, g.ChannelAccountID, string(state), follower)
	if err != nil {
		return fmt.Errorf("open conversation of group %s: %w", g.ID, err)
	}
	return nil
}

// wakeMembers starts the run of every number that waits for its invitation.
func wakeMembers(ctx context.Context, tx pgx.Tx, teamID, groupID uuid.UUID) error {
	rows, _ := tx.Query(ctx, `SELECT id, phone_hash FROM group_members WHERE group_id = $1 AND state = 'inviting' ORDER BY id`, groupID)
	type member struct {
		ID   uuid.UUID
		Hash string
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[member])
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := wakeMember(ctx, tx, teamID, groupID, m.ID, m.Hash); err != nil {
			return err
		}
	}
	return nil
}

// holdRendezvous lets nobody else near the rendezvous of a request until the
// transaction ends. It comes before the lock of any group: answer and webhook
// of one request would else wait for each other.
func holdRendezvous(ctx context.Context, tx pgx.Tx, requestID string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('group request ' || $1, 0))`, storable(requestID))
	return err
}

// meet leaves at the rendezvous of a request that it is ours, and takes the
// webhook that was there before, or nil.
func meet(ctx context.Context, tx pgx.Tx, teamID, accountID uuid.UUID, requestID string, ours uuid.UUID) (*omniflow.GroupEvent, error) {
	var raw json.RawMessage
	err := tx.QueryRow(ctx, `
		INSERT INTO group_rendezvous AS r (channel_account_id, request_id, team_id, ours) VALUES ($1, $2, $3, $4)
		ON CONFLICT (channel_account_id, request_id) DO UPDATE SET ours = excluded.ours RETURNING event`,
		accountID, requestID, teamID, ours).Scan(&raw)
	if err != nil || raw == nil {
		return nil, err
	}
	var event omniflow.GroupEvent
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, fmt.Errorf("read webhook at rendezvous: %w", err)
	}
	return &event, nil
}

// park leaves a webhook at the rendezvous of its request, which is held, and
// takes the group that made the request, if its answer came meanwhile.
func park(ctx context.Context, tx pgx.Tx, e omniflow.GroupEvent) (uuid.UUID, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return uuid.Nil, err
	}
	var ours *uuid.UUID
	err = tx.QueryRow(ctx, `
		INSERT INTO group_rendezvous AS r (channel_account_id, request_id, team_id, event) VALUES ($1, $2, $3, $4)
		ON CONFLICT (channel_account_id, request_id) DO UPDATE SET event = excluded.event RETURNING ours`,
		e.ChannelAccountID, storable(e.RequestID), e.TeamID, storableJSON(body)).Scan(&ours)
	if err != nil || ours == nil {
		return uuid.Nil, err
	}
	return *ours, nil
}

// adoptParked applies to a group whose answer was lost the webhook that can
// only be its own: nobody's yet, about the same name, and no other lost
// request has that name.
func adoptParked(ctx context.Context, tx pgx.Tx, g groupRow) error {
	var request string
	var raw json.RawMessage
	err := tx.QueryRow(ctx, `
		SELECT max(request_id), (array_agg(event))[1] FROM group_rendezvous
		WHERE channel_account_id = $1 AND ours IS NULL AND event ->> 'subject' = $2 AND met_at >= COALESCE($4, now()) - interval '2 minutes'
		  AND NOT EXISTS (SELECT FROM groups o WHERE o.channel_account_id = $1 AND o.id <> $3 AND o.name = $2
		    AND o.state = 'reviewing' AND o.request_id IS NULL AND o.create_call IN ('calling', 'unknown'))
		HAVING count(*) = 1`, g.ChannelAccountID, g.Name, g.ID, g.CalledAt).Scan(&request, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for webhooks of a lost answer: %w", err)
	}
	var event omniflow.GroupEvent
	if err := json.Unmarshal(raw, &event); err != nil {
		return fmt.Errorf("read webhook at rendezvous: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE group_rendezvous SET ours = $3 WHERE channel_account_id = $1 AND request_id = $2`, g.ChannelAccountID, request, g.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE groups SET request_id = $2 WHERE id = $1 AND request_id IS NULL`, g.ID, request); err != nil {
		return err
	}
	_, err = applyCreation(ctx, tx, g, event)
	return err
}
