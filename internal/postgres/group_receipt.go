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

// A message to a group is sent once, and delivered and read by each member.
// One member's status says about the message that it was sent; the message is
// received, or read, when it is so by everybody whom it went to: the members
// at the moment it left and whoever a status named, but for those who have
// left the group since without it. Source: channels/whatsapp.md section 4.6.

// expectReceipts notes whom a claimed message goes to.
func expectReceipts(ctx context.Context, tx pgx.Tx, r outgoingRow) error {
	_, err := tx.Exec(ctx, `
		WITH earlier AS (DELETE FROM group_receipts WHERE message_id = $1 AND received_at IS NULL
		  AND participant NOT IN (SELECT phone FROM group_members WHERE group_id = $2 AND `+isMember+`))
		INSERT INTO group_receipts (message_id, participant, team_id)
		SELECT $1, phone, $3 FROM group_members WHERE group_id = $2 AND `+isMember+` ON CONFLICT DO NOTHING`, r.ID, r.ConversationID, r.TeamID)
	if err != nil {
		return fmt.Errorf("note whom message %s goes to: %w", r.ID, err)
	}
	return nil
}

// isMember says of a row of group_members that the person is in the group, as
// far as we know: also while the provider removes them.
const isMember = `(state = 'joined' OR (state = 'remove_pending' AND code = ''))`

// noteReceipts keeps what statuses say about single members, and puts in their
// place what that says about the messages, which are locked.
func noteReceipts(ctx context.Context, tx pgx.Tx, statuses []omniflow.Status) ([]omniflow.Status, error) {
	isReceipt := func(s omniflow.Status) bool { return s.Participant != "" }
	if !slices.ContainsFunc(statuses, isReceipt) {
		return statuses, nil
	}
	whole := slices.DeleteFunc(slices.Clone(statuses), isReceipt)
	var messages, accounts []uuid.UUID
	var people []string
	var at, readAt []*time.Time
	last := map[uuid.UUID]omniflow.Status{}
	for _, s := range statuses {
		if !isReceipt(s) {
			continue
		}
		moment := s.At
		received, read := &moment, (*time.Time)(nil)
		if s.State == omniflow.Read {
			read = &moment // who read it has received it
		}
		messages, accounts, people = append(messages, s.MessageID), append(accounts, s.ChannelAccountID), append(people, storable(s.Participant))
		at, readAt = append(at, received), append(readAt, read)
		last[s.MessageID] = s
		sent := s
		sent.State, sent.Participant = omniflow.Sent, ""
		whole = append(whole, sent)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO group_receipts AS g (message_id, participant, team_id, received_at, read_at)
		SELECT m.id, e.participant, m.team_id, min(e.received_at), min(e.read_at)
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS e(message, account, participant, received_at, read_at)
		JOIN messages m ON m.id = e.message AND m.channel_account_id = e.account GROUP BY 1, 2, 3 ORDER BY 1, 2
		ON CONFLICT (message_id, participant) DO UPDATE SET
		  received_at = COALESCE(g.received_at, excluded.received_at), read_at = COALESCE(g.read_at, excluded.read_at)`,
		messages, accounts, people, at, readAt)
	if err != nil {
		return nil, fmt.Errorf("note receipts: %w", err)
	}
	complete, err := completeReceipts(ctx, tx, messages, last)
	return append(whole, complete...), err
}

// completeReceipts gives evidence for those of messages that everybody has
// received, or read; last is a status of each.
func completeReceipts(ctx context.Context, tx pgx.Tx, messages []uuid.UUID, last map[uuid.UUID]omniflow.Status) ([]omniflow.Status, error) {
	rows, _ := tx.Query(ctx, `
		SELECT r.message_id,
		  COALESCE(bool_and(r.received_at IS NOT NULL) FILTER (WHERE r.received_at IS NOT NULL OR g.id IS NULL), false), max(r.received_at),
		  COALESCE(bool_and(r.read_at IS NOT NULL) FILTER (WHERE r.read_at IS NOT NULL OR g.id IS NULL), false), max(r.read_at)
		FROM group_receipts r JOIN messages m ON m.id = r.message_id
		LEFT JOIN group_members g ON g.group_id = m.conversation_id AND g.phone = r.participant AND g.state = 'removed'
		WHERE r.message_id = ANY ($1) GROUP BY 1 ORDER BY 1`, messages)
	var id uuid.UUID
	var received, read bool
	var receivedAt, readAt *time.Time
	var out []omniflow.Status
	_, err := pgx.ForEachRow(rows, []any{&id, &received, &receivedAt, &read, &readAt}, func() error {
		s := last[id]
		s.Participant = ""
		if received && receivedAt != nil {
			s.State, s.At = omniflow.Received, *receivedAt
			out = append(out, s)
		}
		if read && readAt != nil {
			s.State, s.At = omniflow.Read, *readAt
			out = append(out, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("complete receipts: %w", err)
	}
	return out, nil
}

// settleReceipts looks again at the messages that waited for somebody who is
// out of the group now. One that a status is being merged into at this moment
// is left to that: waiting for it, with the group locked, could be for ever.
func settleReceipts(ctx context.Context, tx pgx.Tx, m memberRow) error {
	rows, _ := tx.Query(ctx, `
		SELECT m.team_id, m.channel_account_id, m.id, m.attempt FROM messages m JOIN group_receipts r ON r.message_id = m.id AND r.participant = $2
		WHERE m.conversation_id = $1 AND m.state IN ('sent', 'received') AND r.read_at IS NULL ORDER BY m.id FOR UPDATE OF m SKIP LOCKED`, m.GroupID, m.Phone)
	last := map[uuid.UUID]omniflow.Status{}
	var ids []uuid.UUID
	var s omniflow.Status
	_, err := pgx.ForEachRow(rows, []any{&s.TeamID, &s.ChannelAccountID, &s.MessageID, &s.Attempt}, func() error {
		last[s.MessageID], ids = s, append(ids, s.MessageID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("find messages that member %s has not got: %w", m.ID, err)
	}
	complete, err := completeReceipts(ctx, tx, ids, last)
	if err != nil {
		return err
	}
	for _, s := range complete { // those received come before those read
		s.Weak = true // it proves nothing about other messages
		if _, err := mergeIn(ctx, tx, []omniflow.Status{s}, proofs{}); err != nil {
			return err
		}
	}
	return nil
}

// resolveGroupClues names the messages of those clues that are about a message
// to a group or an invitation to one, by the provider's id; it returns the
// clues that are about neither.
func resolveGroupClues(ctx context.Context, tx pgx.Tx, clues []omniflow.Clue) (found []omniflow.Status, rest []omniflow.Clue, err error) {
	var places []int32
	var accounts []uuid.UUID
	var groups, people, providers []string
	for i, c := range clues {
		if c.Echo || c.Watermark || c.ProviderID == "" {
			continue
		}
		places, accounts = append(places, int32(i)), append(accounts, c.ChannelAccountID)
		groups, people, providers = append(groups, storable(c.GroupID)), append(people, storable(c.Recipient)), append(providers, storable(c.ProviderID))
	}
	if len(places) == 0 {
		return nil, clues, nil
	}
	rows, _ := tx.Query(ctx, `
		WITH e AS (SELECT * FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS e(place, account, in_group, person, provider_id))
		SELECT e.place, m.id, m.attempt FROM e JOIN groups g ON g.channel_account_id = e.account AND g.provider_id = e.in_group
		JOIN messages m ON m.conversation_id = g.id AND m.provider_id = e.provider_id WHERE e.in_group <> ''
		UNION ALL
		SELECT e.place, m.id, m.attempt FROM e JOIN group_members p ON p.phone = e.person
		JOIN messages m ON m.id = p.message_id AND m.channel_account_id = e.account AND m.provider_id = e.provider_id WHERE e.in_group = ''`,
		places, accounts, groups, people, providers)
	hit := make([]bool, len(clues))
	var place, attempt int
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&place, &id, &attempt}, func() error {
		s := clues[place].Status
		s.MessageID, s.Attempt, hit[place] = id, attempt, true
		found = append(found, s)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find messages of groups by clue: %w", err)
	}
	for i, c := range clues {
		if !hit[i] {
			rest = append(rest, c)
		}
	}
	return found, rest, nil
}
