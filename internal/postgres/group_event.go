package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// applyGroupEvents applies what webhooks said about groups, which are held, each
// event once. One that is about no group of ours is a dead letter.
func applyGroupEvents(ctx context.Context, tx pgx.Tx, events []omniflow.GroupEvent, dead *[]omniflow.DeadLetter) (int, error) {
	applied := 0
	fresh, err := firstHeard(ctx, tx, events)
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		key := groupEventKey{e.ChannelAccountID, eventKey(e)}
		if !fresh[key] {
			continue
		}
		delete(fresh, key)
		known, err := applyGroupEvent(ctx, tx, e)
		if err != nil {
			return 0, fmt.Errorf("apply %s: %w", e.Type, err)
		}
		if known {
			applied++
			continue
		}
		// It is forgotten, so that a replay is heard.
		if _, err := tx.Exec(ctx, `DELETE FROM group_events WHERE channel_account_id = $1 AND event_key = $2`, key.account, key.sum[:]); err != nil {
			return 0, err
		}
		*dead = append(*dead, omniflow.DeadLetter{TeamID: e.TeamID, ChannelAccountID: e.ChannelAccountID, Reason: omniflow.GroupUnknown, Event: e.Raw})
	}
	return applied, nil
}

// groupEventKey names an event of an account.
type groupEventKey struct {
	account uuid.UUID
	sum     [sha256.Size]byte
}

// eventKey is what makes two deliveries the same event.
func eventKey(e omniflow.GroupEvent) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %d", e.Type, e.GroupID, e.RequestID, e.User, e.JoinRequestID, e.At.UnixMilli()))
}

// firstHeard notes events, in one order, and returns those that were not noted
// before.
func firstHeard(ctx context.Context, tx pgx.Tx, events []omniflow.GroupEvent) (map[groupEventKey]bool, error) {
	fresh := make(map[groupEventKey]bool, len(events))
	if len(events) == 0 {
		return fresh, nil
	}
	accounts, teams, keys := make([]uuid.UUID, len(events)), make([]uuid.UUID, len(events)), make([][]byte, len(events))
	for i, e := range events {
		sum := eventKey(e)
		accounts[i], teams[i], keys[i] = e.ChannelAccountID, e.TeamID, sum[:]
	}
	rows, _ := tx.Query(ctx, `
		INSERT INTO group_events (channel_account_id, event_key, team_id)
		SELECT account, key, team FROM unnest($1::uuid[], $2::bytea[], $3::uuid[]) AS e(account, key, team) ORDER BY account, key
		ON CONFLICT DO NOTHING RETURNING channel_account_id, event_key`, accounts, keys, teams)
	var key groupEventKey
	var sum []byte
	_, err := pgx.ForEachRow(rows, []any{&key.account, &sum}, func() error {
		fresh[groupEventKey{key.account, [sha256.Size]byte(sum)}] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("note group events: %w", err)
	}
	return fresh, nil
}

// applyGroupEvent applies one event; false: it is about no group of ours.
func applyGroupEvent(ctx context.Context, tx pgx.Tx, e omniflow.GroupEvent) (bool, error) {
	creation := e.Type == omniflow.OnGroupCreated || e.Type == omniflow.OnGroupCreateFailed
	id, err := findGroup(ctx, tx, e, creation)
	if err != nil {
		return false, err
	}
	if id == uuid.Nil && creation {
		parked, err := parkCreation(ctx, tx, e)
		if parked || err != nil {
			return parked, err
		}
	}
	if id == uuid.Nil {
		return false, nil
	}
	g, err := lockGroup(ctx, tx, e.TeamID, id)
	if err != nil {
		return false, err
	}
	switch e.Type {
	case omniflow.OnGroupCreated, omniflow.OnGroupCreateFailed:
		return true, hearCreation(ctx, tx, g, e)
	case omniflow.OnMemberJoined, omniflow.OnMemberLeft, omniflow.OnMemberRemoved, omniflow.OnRemoveFailed,
		omniflow.OnJoinRequested, omniflow.OnJoinRevoked:
		return true, applyMember(ctx, tx, g, e)
	case omniflow.OnSettingsUpdated, omniflow.OnSettingsFailed, omniflow.OnGroupDeleted, omniflow.OnGroupDeleteFailed:
		return true, applyChange(ctx, tx, g, e)
	case omniflow.OnSuspended, omniflow.OnRestored:
		return true, applySuspension(ctx, tx, g, e)
	}
	return false, nil
}

// findGroup finds the group that an event is about: by the provider's id, by
// the request, or by the marker in its description. Zero: none.
func findGroup(ctx context.Context, tx pgx.Tx, e omniflow.GroupEvent, creation bool) (uuid.UUID, error) {
	request, marker := "", ""
	if creation {
		request, marker = e.RequestID, omniflow.MarkerOf(e.Description)
	}
	var id uuid.UUID
	err := tx.QueryRow(ctx, `
		SELECT id FROM groups WHERE team_id = $1 AND channel_account_id = $2
		  AND ((provider_id = $3 AND $3 <> '') OR (request_id = $4 AND $4 <> '') OR (marker = $5 AND $5 <> ''))
		ORDER BY provider_id IS NOT DISTINCT FROM $3 DESC, request_id IS NOT DISTINCT FROM $4 DESC LIMIT 1`,
		e.TeamID, e.ChannelAccountID, storable(e.GroupID), storable(request), storable(marker)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find group: %w", err)
	}
	return id, nil
}

// parkCreation keeps a creation webhook that no group is known for, while a
// create call of the account has not told its request. false: none has. The
// answer may have come since the group was looked for, so it is looked for
// again where no answer can come meanwhile.
func parkCreation(ctx context.Context, tx pgx.Tx, e omniflow.GroupEvent) (bool, error) {
	if e.RequestID == "" {
		return false, nil
	}
	if err := holdRendezvous(ctx, tx, e.RequestID); err != nil {
		return false, err
	}
	id, err := findGroup(ctx, tx, e, true)
	if err != nil {
		return false, err
	}
	if id == uuid.Nil {
		waiting := false
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM groups WHERE channel_account_id = $1 AND request_id IS NULL AND create_call IN ('calling', 'unknown')
			  AND (state = 'reviewing' OR code = 'review_timeout'))`, e.ChannelAccountID).Scan(&waiting)
		if err != nil || !waiting {
			return false, err
		}
		if id, err = park(ctx, tx, e); err != nil {
			return false, err
		}
	}
	if id == uuid.Nil {
		return true, adoptByName(ctx, tx, e)
	}
	g, err := lockGroup(ctx, tx, e.TeamID, id)
	if err != nil {
		return false, err
	}
	return true, hearCreation(ctx, tx, g, e)
}

// adoptByName gives a parked webhook to the one group of its name whose answer
// was lost.
func adoptByName(ctx context.Context, tx pgx.Tx, e omniflow.GroupEvent) error {
	rows, _ := tx.Query(ctx, `
		SELECT id FROM groups WHERE channel_account_id = $1 AND name = $2 AND request_id IS NULL
		  AND create_call IN ('calling', 'unknown') AND (state = 'reviewing' OR code = 'review_timeout')`, e.ChannelAccountID, storable(e.Subject))
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) != 1 {
		return err
	}
	g, err := lockGroup(ctx, tx, e.TeamID, ids[0])
	if err != nil || g.CreateCall != omniflow.CallUnknown {
		return err // while a call is under way its answer will tell
	}
	if err := adoptParked(ctx, tx, g); err != nil {
		return err
	}
	return wakeGroup(ctx, tx, g.TeamID, g.ID)
}

// applyCreation applies a creation webhook to its locked group.
func applyCreation(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) (bool, error) {
	result, code := omniflow.GroupSucceeded, omniflow.Code("")
	if e.Type == omniflow.OnGroupCreateFailed {
		if result, code = omniflow.GroupRefused, e.Code; code == "" {
			code = omniflow.ReviewRefused
		}
	}
	return decideGroup(ctx, tx, g, result, code, storable(e.GroupID), storable(e.InviteLink))
}

// hearCreation is applyCreation for a webhook: the run hears of a change.
func hearCreation(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) error {
	changed, err := applyCreation(ctx, tx, g, e)
	if err != nil || !changed {
		return err
	}
	return wakeGroup(ctx, tx, g.TeamID, g.ID)
}

// applySuspension notes what the provider did to a whole group.
func applySuspension(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) error {
	var at *time.Time
	if e.Type == omniflow.OnSuspended {
		at = &e.At
	}
	if _, err := tx.Exec(ctx, `UPDATE groups SET suspended_at = $2 WHERE id = $1`, g.ID, at); err != nil {
		return err
	}
	return logConversation(ctx, tx, logEntry{TeamID: g.TeamID, ConversationID: g.ID, ActionID: newID(), Event: e.Type})
}

// applyChange ends the change of the group that waits for this event. One that
// nobody asked for is applied all the same: the provider has done it.
func applyChange(ctx context.Context, tx pgx.Tx, g groupRow, e omniflow.GroupEvent) error {
	kind, state := omniflow.ChangeSettings, omniflow.ChangeDone
	if e.Type == omniflow.OnGroupDeleted || e.Type == omniflow.OnGroupDeleteFailed {
		kind = omniflow.ChangeDelete
	}
	if e.Type == omniflow.OnSettingsFailed || e.Type == omniflow.OnGroupDeleteFailed {
		state = omniflow.ChangeFailed
	}
	var change uuid.UUID
	err := tx.QueryRow(ctx, `
		SELECT id FROM group_changes WHERE group_id = $1 AND kind = $2 AND (request_id = $3 OR (request_id IS NULL AND called AND state = 'pending'))
		ORDER BY request_id IS NOT DISTINCT FROM $3 DESC, id DESC LIMIT 1`, g.ID, kind, storable(e.RequestID)).Scan(&change)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && e.Type == omniflow.OnGroupDeleted:
		return markDeleted(ctx, tx, g)
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return endChange(ctx, tx, g, change, state, e.Code)
}
