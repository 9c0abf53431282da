package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/apiclient"
	"omniflow/internal/bench/sink"
)

const (
	agentEach     = 250 * time.Millisecond // four messages a second: five times what the reserve holds
	agentMessages = 120
)

// interactive sends an agent's messages through the account that a broadcast
// keeps at its limit, and takes the time from the request to the arrival at the
// provider. Every message opens a conversation's run: the dearest case.
func interactive(ctx context.Context, r *rig) error {
	s, err := r.newScene(ctx, "whatsapp", int(limitRate*(agentEach.Seconds()*agentMessages+15)), limitRate)
	if err != nil {
		return err
	}
	conversations, err := r.conversations(ctx, s, agentMessages)
	if err != nil {
		return err
	}
	if err := r.sink.Reset(ctx); err != nil {
		return err
	}
	accepted, err := s.member.StartBroadcast(ctx, request(), "")
	if err != nil {
		return fmt.Errorf("start broadcast: %w", err)
	}
	if _, err := r.sink.Wait(ctx, int(2*limitRate), patience); err != nil { // it runs at its limit
		return err
	}
	asked, err := r.agentWrites(ctx, s, conversations)
	if err != nil {
		return err
	}
	running, err := s.member.Broadcast(ctx, accepted.ID)
	if err != nil {
		return err
	}
	if running.Finished() {
		return errors.New("the broadcast was over before the agent was")
	}
	waits, err := r.waits(ctx, asked)
	if err != nil {
		return err
	}
	at, err := r.sink.Arrivals(ctx)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("median %s, most %s ms; %d of %d", number(waits[len(waits)/2]), number(waits[len(waits)-1]), len(waits), agentMessages)
	r.report.atMost("interactive", "request to provider beside a broadcast at 80/s, p99", waits[(len(waits)*99-1)/100], 250, "ms", note)
	r.report.atMost("interactive", "most in any second, agent and broadcast", float64(sink.MostWithin(at, time.Second)), limitRate+limitBurst, "messages", "")
	_, err = s.member.Control(ctx, accepted.ID, apiclient.Cancel, "", "measured")
	return err
}

// conversations are ids of n conversations of the scene.
func (r *rig) conversations(ctx context.Context, s *scene, n int) ([]uuid.UUID, error) {
	rows, err := r.db.Query(ctx, `SELECT id FROM conversations WHERE team_id = $1 ORDER BY id DESC LIMIT $2`, s.teamID, n)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	defer rows.Close()
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list conversations: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// agentWrites sends a marked text to each conversation at a steady pace and
// returns when each was asked for.
func (r *rig) agentWrites(ctx context.Context, s *scene, conversations []uuid.UUID) (map[string]time.Time, error) {
	asked := map[string]time.Time{}
	ticker := time.NewTicker(agentEach)
	defer ticker.Stop()
	for i, id := range conversations {
		text := fmt.Sprintf("%s%d", sink.Mark, i)
		asked[text] = time.Now()
		content := apiclient.ConversationContent{Content: apiclient.Content{Kind: "text", Text: text}}
		if _, err := s.member.SendInConversation(ctx, id.String(), content, ""); err != nil {
			return nil, fmt.Errorf("write to a customer: %w", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return asked, nil
}

// waits are the times from request to arrival in milliseconds, sorted. Every
// message must have arrived.
func (r *rig) waits(ctx context.Context, asked map[string]time.Time) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		came, err := r.sink.Marks(ctx)
		if err != nil {
			return nil, err
		}
		if len(came) == len(asked) {
			var waits []float64
			for text, at := range came {
				waits = append(waits, float64(at.Sub(asked[text]))/float64(time.Millisecond))
			}
			slices.Sort(waits)
			return waits, nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, fmt.Errorf("%d of %d messages of the agent came: %w", len(came), len(asked), err)
		}
	}
}
