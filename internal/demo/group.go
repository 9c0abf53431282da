package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"omniflow/internal/apiclient"
)

// The texts in the group.
const (
	groupName     = "秋季會員日 VIP 群"
	groupQuestion = "請問哪天開始？"
	groupAnswer   = "各位 VIP 好，本週五 10:00 搶先開跑 🍂"
)

// groupTimeout is how long the group may take to come to anything.
const groupTimeout = 30 * time.Second

// talkInGroup tells the story of one WhatsApp group, from the request to a
// message that everybody in it has received.
func (s *story) talkInGroup(ctx context.Context) (groupVerdict, error) {
	s.step("A WhatsApp group: Meta reviews it, three people are invited, the answer to the create call is lost, webhooks come twice")
	c := s.scene.circle
	accepted, err := c.agent.CreateGroup(ctx, apiclient.NewGroup{ChannelAccountID: c.account.ID, Name: groupName,
		Members: []string{whoJoins, whoAsks, whoIgnores}}, "")
	if err != nil {
		return groupVerdict{}, fmt.Errorf("ask for the group: %w", err)
	}
	c.group = accepted.ID
	fmt.Fprintf(s.out, "  group %s\n  watch it in Temporal: %s\n\n", c.group, s.runURL(accepted.WorkflowID))
	if err := s.gather(ctx, c); err != nil {
		return groupVerdict{}, err
	}
	if err := s.chat(ctx, c); err != nil {
		return groupVerdict{}, err
	}
	return s.judgeGroup(ctx, c)
}

// gather waits for the review and the members: one joins, one asks and is let
// in, one ignores the invitation and is removed.
func (s *story) gather(ctx context.Context, c *circle) error {
	g, err := s.watchGroup(ctx, c, "somebody to ask", func(g apiclient.Group) bool { return strings.Contains(waitsFor(g, whoAsks), "approve") })
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  ** the agent lets %s in, and takes the invitation of %s back\n", whoAsks, whoIgnores)
	if _, err := c.agent.OrderGroupMember(ctx, c.group, memberOf(g, whoAsks).ID, apiclient.ApproveMember); err != nil {
		return fmt.Errorf("approve: %w", err)
	}
	if _, err := c.agent.RemoveGroupMember(ctx, c.group, memberOf(g, whoIgnores).ID); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	_, err = s.watchGroup(ctx, c, "two members", func(g apiclient.Group) bool {
		return memberOf(g, whoJoins).State == "joined" && memberOf(g, whoAsks).State == "joined" && memberOf(g, whoIgnores).State == ""
	})
	return err
}

// chat lets a member write, which opens the group's window, and answers.
func (s *story) chat(ctx context.Context, c *circle) error {
	real, err := s.sims.Groups(ctx, c.account)
	if err != nil || len(real) == 0 {
		return fmt.Errorf("the provider lists %d groups: %w", len(real), err)
	}
	if err := s.sims.InGroup(ctx, real[0].ID, "send", whoJoins[1:], groupQuestion); err != nil {
		return err
	}
	if _, err := s.watchMessages(ctx, c, "in", func(apiclient.GroupMessage) bool { return true }); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  %s writes: %s\n", whoJoins, groupQuestion)
	if _, err := c.agent.SendToGroup(ctx, c.group, apiclient.GroupContent{Content: apiclient.Content{Kind: "text", Text: groupAnswer}}, ""); err != nil {
		return fmt.Errorf("send to the group: %w", err)
	}
	m, err := s.watchMessages(ctx, c, "out", func(m apiclient.GroupMessage) bool { return m.State == "read" || m.State == "failed" })
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  the agent answers: %s\n  it is %s: %d of %d members received it, %d read it\n", groupAnswer, m.State, m.Received, m.Members, m.Read)
	return nil
}

// judgeGroup reads the provider's own book about the group.
func (s *story) judgeGroup(ctx context.Context, c *circle) (groupVerdict, error) {
	real, err := s.sims.Groups(ctx, c.account)
	if err != nil {
		return groupVerdict{}, err
	}
	deliveries, err := s.sims.GroupDeliveries(ctx, c.account)
	if err != nil {
		return groupVerdict{}, err
	}
	v := groupVerdict{groups: len(real), deliveries: len(deliveries)}
	for _, g := range real {
		v.members += len(g.Members)
		for _, n := range g.Invitations {
			v.invitations += n
		}
	}
	fmt.Fprintf(s.out, "  By the provider's own book: %d group, %d invitations to 3 people, %d members, the answer delivered to %d.\n",
		v.groups, v.invitations, v.members, v.deliveries)
	return v, nil
}

// groupVerdict is what the provider's book says about the demo's group.
type groupVerdict struct{ groups, invitations, members, deliveries int }

// fault says why the group went wrong, "" if it did not.
func (v groupVerdict) fault() string {
	switch {
	case v.groups != 1:
		return fmt.Sprintf("one request made %d groups", v.groups)
	case v.invitations != 3:
		return fmt.Sprintf("3 people got %d invitations", v.invitations)
	case v.members != 2:
		return fmt.Sprintf("the group has %d members, not 2", v.members)
	case v.deliveries != 2:
		return fmt.Sprintf("one message reached 2 members %d times", v.deliveries)
	}
	return ""
}
