package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"omniflow/internal/omniflow"
)

// applyIntake applies what a batch of webhooks said.
//
// What it writes to is locked kind by kind, and within a kind in the order of
// the ids, so that no two batches wait for each other, whatever they bring:
//
//  1. the requests of group creations, the groups (holdGroups)
//  2. the customers whose echoes are told by their text (lockEchoes)
//  3. the messages (lockMessages), and by them their receipts
//  4. the counts of proofs; the accounts and the lanes that stop
//  5. the senders (makeSenders), the conversations (heardBatch.hold)
//
// Claims, resends and the steps of groups lock in this order as well; the
// statements of broadcasts, which change many messages at once, in none: there,
// who is told of a deadlock tries again. The rest, of members, log, signals and
// what stands beside a message, is written by who holds its group, conversation
// or message. A message that is found late is taken only if nobody holds it.
func applyIntake(ctx context.Context, tx pgx.Tx, in omniflow.Intake) (omniflow.IntakeResult, error) {
	var result omniflow.IntakeResult
	b := newHeardBatch(in.Messages)
	groups, err := holdGroups(ctx, tx, in)
	if err != nil {
		return result, err
	}
	if err := b.lookUp(ctx, tx); err != nil {
		return result, err
	}
	heard, dead, err := findStatuses(ctx, tx, &in)
	if err != nil {
		return result, err
	}
	if result.Changed, err = mergeLocked(ctx, tx, heard, b); err != nil {
		return result, err
	}
	if err := applyStops(ctx, tx, in.Stops); err != nil {
		return result, err
	}
	served, err := servedBy(ctx, tx, heard)
	if err != nil {
		return result, err
	}
	if err := b.holdAll(ctx, tx, groups, served); err != nil {
		return result, err
	}
	for _, step := range []func() error{
		func() error { return wakeInvitations(ctx, tx, in.Statuses) },
		func() error { return wakeServed(ctx, tx, served) },
		func() (err error) { result.Groups, err = applyGroupEvents(ctx, tx, in.Groups, &dead); return err },
		func() (err error) { result.Messages, err = b.store(ctx, tx); return err },
	} {
		if err := step(); err != nil {
			return result, err
		}
	}
	dead = append(append(in.Dead, dead...), b.dead...)
	result.Blocked, result.Dead = b.blocked, len(dead)
	return result, bury(ctx, tx, dead)
}

// findStatuses names the messages of clues, and returns everything that is known
// about messages. Of in, it leaves the statuses that named their message. What
// belongs to none is a dead letter.
func findStatuses(ctx context.Context, tx pgx.Tx, in *omniflow.Intake) (heard []omniflow.Status, dead []omniflow.DeadLetter, err error) {
	named, clues, err := resolveGroupClues(ctx, tx, in.Clues)
	if err != nil {
		return nil, nil, err
	}
	in.Statuses = append(in.Statuses, named...)
	heard = slices.Clone(in.Statuses)
	echoes := map[uuid.UUID]string{}
	for len(clues) > 0 {
		found, lost, later, err := resolveClues(ctx, tx, clues, echoes)
		if err != nil {
			return nil, nil, err
		}
		heard, dead, clues = append(heard, found...), append(dead, lost...), later
	}
	lost, err := lostStatuses(ctx, tx, in.Statuses)
	return heard, append(dead, lost...), err
}

// mergeLocked locks the messages of a batch, those that it is about and those
// that its customers have read, and merges what was heard of the former.
func mergeLocked(ctx context.Context, tx pgx.Tx, heard []omniflow.Status, b *heardBatch) (int, error) {
	ids, err := b.earlier(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, s := range heard {
		ids = append(ids, s.MessageID)
	}
	if err := lockMessages(ctx, tx, ids); err != nil || len(heard) == 0 {
		return 0, err
	}
	return mergeAll(ctx, tx, heard)
}

// holdGroups locks the groups that events and messages of a batch are about, in
// one order, and before them the requests of creations. It returns their ids,
// which are those of their conversations.
func holdGroups(ctx context.Context, tx pgx.Tx, in omniflow.Intake) ([]uuid.UUID, error) {
	var accounts []uuid.UUID
	var providers, requests, markers, names []string
	add := func(account uuid.UUID, provider, request, marker, name string) {
		accounts, providers, requests = append(accounts, account), append(providers, storable(provider)), append(requests, storable(request))
		markers, names = append(markers, storable(marker)), append(names, storable(name))
	}
	for _, e := range in.Groups {
		if e.Type == omniflow.OnGroupCreated || e.Type == omniflow.OnGroupCreateFailed {
			add(e.ChannelAccountID, e.GroupID, e.RequestID, omniflow.MarkerOf(e.Description), e.Subject)
			continue
		}
		add(e.ChannelAccountID, e.GroupID, "", "", "")
	}
	for _, m := range in.Messages {
		if m.GroupID != "" {
			add(m.ChannelAccountID, m.GroupID, "", "", "")
		}
	}
	if len(accounts) == 0 {
		return nil, nil
	}
	creations := slices.DeleteFunc(slices.Clone(requests), func(r string) bool { return r == "" })
	slices.SortFunc(creations, strings.Compare)
	for _, request := range slices.Compact(creations) {
		if err := holdRendezvous(ctx, tx, request); err != nil {
			return nil, err
		}
	}
	rows, _ := tx.Query(ctx, `
		SELECT id FROM groups WHERE id IN (
		  SELECT g.id FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS e(account, provider, request, marker, name)
		  JOIN groups g ON g.channel_account_id = e.account AND (g.provider_id = NULLIF(e.provider, '') OR g.request_id = NULLIF(e.request, '')
		    OR g.marker = NULLIF(e.marker, '') OR g.request_id IS NULL AND g.name = NULLIF(e.name, '')))
		ORDER BY id FOR UPDATE`, accounts, providers, requests, markers, names)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("hold groups: %w", err)
	}
	return ids, nil
}
