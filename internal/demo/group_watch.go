package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omniflow/internal/apiclient"
)

// watchGroup polls the group, and prints what changes, until it is as it should be.
func (s *story) watchGroup(ctx context.Context, c *circle, what string, reached func(apiclient.Group) bool) (apiclient.Group, error) {
	for deadline := time.Now().Add(groupTimeout); ; {
		g, err := c.agent.Group(ctx, c.group)
		if err != nil {
			return g, fmt.Errorf("read the group: %w", err)
		}
		s.printGroup(c, g)
		if reached(g) {
			return g, nil
		}
		if time.Now().After(deadline) {
			return g, fmt.Errorf("the group waited %s for %s", groupTimeout, what)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return g, err
		}
	}
}

// watchMessages polls the newest message of a direction until it is as it should be.
func (s *story) watchMessages(ctx context.Context, c *circle, direction string, reached func(apiclient.GroupMessage) bool) (apiclient.GroupMessage, error) {
	for deadline := time.Now().Add(groupTimeout); ; {
		list, err := c.agent.GroupMessages(ctx, c.group, 0)
		if err != nil {
			return apiclient.GroupMessage{}, fmt.Errorf("read the group's messages: %w", err)
		}
		i := slices.IndexFunc(list, func(m apiclient.GroupMessage) bool { return m.Direction == direction })
		if i >= 0 && reached(list[i]) {
			return list[i], nil
		}
		if time.Now().After(deadline) {
			return apiclient.GroupMessage{}, fmt.Errorf("a message in the group was not settled after %s", groupTimeout)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return apiclient.GroupMessage{}, err
		}
	}
}

// printGroup prints a line for the group and for each member that is not as it
// was printed before.
func (s *story) printGroup(c *circle, g apiclient.Group) {
	say := func(who, now string) {
		if c.shown[who] != now {
			fmt.Fprintf(s.out, "  %-14s %s\n", who, now)
			c.shown[who] = now
		}
	}
	state := g.Title + " is " + g.State
	if g.Waiting != nil {
		state += ", waits for " + g.Waiting.For
	}
	say("group", state)
	if g.State != "created" {
		return
	}
	for _, phone := range []string{whoJoins, whoAsks, whoIgnores} {
		m := memberOf(g, phone)
		switch {
		case m.State == "" && c.shown[phone] != "":
			say(phone, "removed")
		case m.Waiting != nil:
			say(phone, m.State+", waits for "+m.Waiting.For)
		case m.State != "":
			say(phone, m.State)
		}
	}
}

// memberOf is the member with a number; State is "" if the group shows none.
func memberOf(g apiclient.Group, phone string) apiclient.GroupMember {
	for _, m := range g.Members {
		if m.Phone == phone {
			return m
		}
	}
	return apiclient.GroupMember{}
}

func waitsFor(g apiclient.Group, phone string) string {
	if w := memberOf(g, phone).Waiting; w != nil {
		return w.For
	}
	return ""
}
