package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/apiclient"
	"omniflow/internal/truth"
)

// turnOfTalk is what is said before the other side speaks: so many messages of
// the customer, then so many of the agent.
type turnOfTalk struct{ customer, agent int }

// talk is one conversation as its two sides play it.
type talk struct {
	truth.Person
	account  truth.Account
	agent    *apiclient.Client
	admin    *apiclient.Client
	sims     truth.Simulators
	name     string
	turns    []turnOfTalk
	answers  bool          // the customer has the last word; else silence follows
	poll     time.Duration // between two looks of the agent
	progress *atomic.Int64 // messages written, of all talks

	id      string   // of the conversation
	wrote   []string // texts of the customer, in order
	sent    []sentText
	last    time.Time // of the customer's last message
	heardBy time.Time // the API has shown the customer's last word
	refused string    // code with which the agent was told that it is too late
	over    bool      // nothing of it is still to come
}

// sentText is a message that the API accepted.
type sentText struct{ id, text string }

// apart is the time between two messages of one person: WhatsApp's webhooks
// know seconds only.
const apart = 1100 * time.Millisecond

// cast decides who writes how much and who keeps silent.
func (o *office) cast(n int) {
	poll := max(400*time.Millisecond, time.Duration(n)*5*time.Millisecond)
	progress := &atomic.Int64{}
	for i := range n {
		account := o.accounts[i%len(o.accounts)]
		t := &talk{Person: truth.Person{Channel: account.Channel, Recipient: recipient(account.Channel, i)}, account: account, progress: progress,
			agent: o.agents[o.rng.IntN(len(o.agents))], admin: o.admin, sims: o.sims, name: fmt.Sprintf("%s-%04d", truth.Random(3), i), poll: poll,
			answers: i/len(o.accounts)%4 == 3}
		for range 2 + o.rng.IntN(2) {
			t.turns = append(t.turns, turnOfTalk{1 + o.rng.IntN(2), 1 + o.rng.IntN(3)})
		}
		o.talks = append(o.talks, t)
	}
}

// messages is how many a talk has.
func (t *talk) messages() int {
	n := 0
	for _, turn := range t.turns {
		n += turn.customer + turn.agent
	}
	return n
}

// play lets both sides talk. Whatever is dead in between is waited for.
func (t *talk) play(ctx context.Context) error {
	for i, turn := range t.turns {
		for range turn.customer {
			if err := t.write(ctx); err != nil {
				return err
			}
		}
		if err := t.hear(ctx); err != nil {
			return err
		}
		if i == 0 {
			if err := t.follow(ctx); err != nil {
				return err
			}
		}
		for range turn.agent {
			if err := t.answer(ctx); err != nil || t.refused != "" {
				return err
			}
		}
	}
	if !t.answers {
		return nil
	}
	if err := t.arrive(ctx); err != nil {
		return err
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	return t.hear(ctx)
}

// arrive waits until every message of the agent has an outcome: one that comes
// later answers what the customer writes now.
func (t *talk) arrive(ctx context.Context) error {
	for {
		list, err := t.list(ctx)
		if err != nil || settled(list) {
			return err
		}
		if err := rest(ctx, t.poll); err != nil {
			return err
		}
	}
}

// write lets the customer write.
func (t *talk) write(ctx context.Context) error {
	if err := rest(ctx, time.Until(t.last.Add(apart))); err != nil {
		return err
	}
	text := fmt.Sprintf("%s 我想問 %d 🙂", t.name, len(t.wrote)+1)
	t.last = time.Now()
	t.wrote = append(t.wrote, text)
	t.progress.Add(1)
	_, err := t.sims.Write(ctx, t.account, t.Recipient, text)
	return err
}

// hear waits until the API shows all that the customer wrote.
func (t *talk) hear(ctx context.Context) error {
	for {
		n, err := t.heard(ctx)
		if err != nil || n == len(t.wrote) {
			t.heardBy = time.Now()
			return err
		}
		if n > len(t.wrote) {
			return fmt.Errorf("%s: %d messages of the customer's %d", t.name, n, len(t.wrote))
		}
		if err := rest(ctx, t.poll); err != nil {
			return err
		}
	}
}

// heard is how many of the customer's messages the API shows.
func (t *talk) heard(ctx context.Context) (int, error) {
	if t.id == "" {
		list, err := ask(ctx, t.poll, func() (apiclient.List[apiclient.Conversation], error) {
			return t.admin.Conversations(ctx, apiclient.ConversationFilter{Search: t.name}, apiclient.Page{Limit: 2})
		})
		switch {
		case err != nil || len(list.Items) == 0:
			return 0, err
		case len(list.Items) > 1:
			return 0, fmt.Errorf("%s: %d conversations", t.name, len(list.Items))
		}
		t.id = list.Items[0].ID
	}
	list, err := t.list(ctx)
	return count(list, func(m apiclient.ConversationMessage) bool { return m.Direction == "in" }), err
}

// list reads the whole conversation, newest first.
func (t *talk) list(ctx context.Context) ([]apiclient.ConversationMessage, error) {
	list, err := ask(ctx, t.poll, func() (apiclient.List[apiclient.ConversationMessage], error) {
		return t.admin.ConversationMessages(ctx, t.id, apiclient.Page{Limit: 200})
	})
	return list.Items, err
}

// follow lets the agent take the conversation on.
func (t *talk) follow(ctx context.Context) error {
	_, err := ask(ctx, t.poll, func() (apiclient.Conversation, error) {
		return t.agent.MoveConversation(ctx, t.id, apiclient.FollowStep, apiclient.Move{})
	})
	var no *apiclient.Problem
	if errors.As(err, &no) && no.Code == "invalid_transition" {
		err = nil // it was done, and the answer lost
	}
	if err != nil {
		return err
	}
	c, err := ask(ctx, t.poll, func() (apiclient.Conversation, error) { return t.agent.Conversation(ctx, t.id) })
	if err == nil && c.State != "handling" {
		return fmt.Errorf("%s: followed, it is %s", t.name, c.State)
	}
	return err
}

// answer lets the agent write. One who was away for so long that the
// conversation ended is told so.
func (t *talk) answer(ctx context.Context) error {
	text, key := fmt.Sprintf("%s 您好，回覆 %d ✅", t.name, len(t.sent)+1), uuid.NewString()
	t.progress.Add(1)
	accepted, err := ask(ctx, t.poll, func() (apiclient.Accepted, error) {
		return t.agent.SendInConversation(ctx, t.id, apiclient.ConversationContent{Content: apiclient.Content{Kind: "text", Text: text}}, key)
	})
	var no *apiclient.Problem
	if errors.As(err, &no) && no.Status < 500 {
		t.refused = no.Code
		return nil
	}
	if err == nil {
		t.sent = append(t.sent, sentText{accepted.ID, text})
	}
	return err
}

// ask asks again for as long as nothing answers, as it is while something is
// dead, or while the request that died in between holds its key: 30 s.
func ask[T any](ctx context.Context, pause time.Duration, do func() (T, error)) (T, error) {
	for {
		v, err := do()
		var no *apiclient.Problem
		if err == nil || !away(err) && !(errors.As(err, &no) && no.Code == apiclient.CodeInProgress) {
			return v, err
		}
		if err := rest(ctx, pause); err != nil {
			return v, err
		}
	}
}

// rest lets time pass, or ends with ctx.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
