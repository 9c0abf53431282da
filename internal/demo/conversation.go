package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// deskTimeout is how long the conversations may take to come to anything.
const deskTimeout = 30 * time.Second

// serveCustomers tells the story of four conversations: customers write in, an
// agent follows and answers, and the one that falls silent ends by itself.
func (s *story) serveCustomers(ctx context.Context) (deskVerdict, error) {
	s.step("Customers write in on four channels, every webhook comes twice; an agent follows and answers, one customer falls silent")
	for _, c := range s.scene.desk.callers {
		if _, err := s.sims.Write(ctx, c.account, c.user, c.asks); err != nil {
			return deskVerdict{}, err
		}
	}
	if err := s.findCallers(ctx); err != nil {
		return deskVerdict{}, err
	}
	for _, c := range s.scene.desk.callers {
		if err := s.answerCaller(ctx, c); err != nil {
			return deskVerdict{}, err
		}
	}
	silent := s.scene.desk.silent()
	fmt.Fprintf(s.out, "  ** the customer on LINE says no more: after %d s a reminder, %d s later the end\n", silenceSeconds, graceSeconds)
	if err := s.watchEnding(ctx, silent); err != nil {
		return deskVerdict{}, err
	}
	return s.judgeDesk(ctx)
}

// findCallers waits until the API lists all who wrote, and prints them.
func (s *story) findCallers(ctx context.Context) error {
	d, agent := s.scene.desk, s.scene.circle.agent
	return s.awaitDesk(ctx, "four conversations that wait for a person", func() (bool, error) {
		list, err := agent.Conversations(ctx, apiclient.ConversationFilter{View: "pending_human"}, apiclient.Page{})
		if err != nil {
			return false, fmt.Errorf("list the conversations: %w", err)
		}
		found := 0
		for _, c := range d.callers {
			i := slices.IndexFunc(list.Items, func(x apiclient.Conversation) bool { return x.Channel == c.account.Channel })
			if i < 0 {
				continue
			}
			found++
			c.conversation = list.Items[i].ID
			s.showCaller(c, fmt.Sprintf("a customer writes: %s  (%s, %d unread)", c.asks, list.Items[i].State, list.Items[i].Unread))
		}
		return found == len(d.callers), nil
	})
}

// answerCaller follows a conversation, answers, and waits for the receipt.
func (s *story) answerCaller(ctx context.Context, c *caller) error {
	agent := s.scene.circle.agent
	now, err := agent.MoveConversation(ctx, c.conversation, apiclient.FollowStep, apiclient.Move{})
	if err != nil {
		return fmt.Errorf("follow on %s: %w", c.account.Channel, err)
	}
	_, err = agent.SendInConversation(ctx, c.conversation, apiclient.ConversationContent{Content: apiclient.Content{Kind: "text", Text: c.answered}}, "")
	if err != nil {
		return fmt.Errorf("answer on %s: %w", c.account.Channel, err)
	}
	return s.awaitDesk(ctx, "the answer to be sent", func() (bool, error) {
		m, err := s.newest(ctx, c, "agent")
		if err != nil || m.SentAt == nil && m.ReceivedAt == nil && m.ReadAt == nil {
			return false, err
		}
		s.showCaller(c, fmt.Sprintf("%s by %s, who answers: %s  (%s)", now.State, now.FollowerName, c.answered, m.State))
		return true, nil
	})
}

// watchEnding prints what becomes of a silent conversation until its survey is sent.
func (s *story) watchEnding(ctx context.Context, c *caller) error {
	fmt.Fprintf(s.out, "  watch it in Temporal: %s\n", s.runURL("conversation/"+s.scene.teamID+"/"+c.conversation))
	return s.awaitDesk(ctx, "the conversation on LINE to end", func() (bool, error) {
		now, err := s.scene.circle.agent.Conversation(ctx, c.conversation)
		if err != nil {
			return false, fmt.Errorf("read the conversation: %w", err)
		}
		asked, err := s.newest(ctx, c, "survey")
		if err != nil {
			return false, err
		}
		reminded, err := s.newest(ctx, c, "reminder")
		if err != nil {
			return false, err
		}
		if reminded.SentAt != nil {
			s.showOnce(c, "reminder", "the customer sees: "+reminderText)
		}
		if now.State == "closed" {
			s.showOnce(c, "closed", "closed by the system")
		}
		if asked.SentAt != nil {
			s.showOnce(c, "survey", "the customer sees: "+surveyText)
		}
		return asked.SentAt != nil, nil
	})
}

// newest is the latest message of an origin, zero if there is none.
func (s *story) newest(ctx context.Context, c *caller, origin string) (apiclient.ConversationMessage, error) {
	list, err := s.scene.circle.agent.ConversationMessages(ctx, c.conversation, apiclient.Page{})
	if err != nil {
		return apiclient.ConversationMessage{}, fmt.Errorf("read the messages on %s: %w", c.account.Channel, err)
	}
	i := slices.IndexFunc(list.Items, func(m apiclient.ConversationMessage) bool { return m.Origin == origin })
	if i < 0 {
		return apiclient.ConversationMessage{}, nil
	}
	return list.Items[i], nil
}

// awaitDesk polls until something has come to be.
func (s *story) awaitDesk(ctx context.Context, what string, reached func() (bool, error)) error {
	for deadline := time.Now().Add(deskTimeout); ; {
		done, err := reached()
		if err != nil || done {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the desk waited %s for %s", deskTimeout, what)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// showCaller prints what is new about a conversation.
func (s *story) showCaller(c *caller, now string) { s.showOnce(c, now, now) }

// showOnce prints a line about a conversation, once a key.
func (s *story) showOnce(c *caller, key, line string) {
	if key = c.account.Channel + key; s.scene.desk.shown[key] == "" {
		s.scene.desk.shown[key] = line
		fmt.Fprintf(s.out, "  %-10s %s\n", c.account.Channel, line)
	}
}

// judgeDesk reads the providers' own books about the desk, and the log.
func (s *story) judgeDesk(ctx context.Context) (deskVerdict, error) {
	d, agent := s.scene.desk, s.scene.circle.agent
	v := deskVerdict{callers: len(d.callers)}
	books, err := s.sims.Deliveries(ctx, d.accounts())
	if err != nil {
		return v, err
	}
	for _, c := range d.callers {
		list, err := agent.ConversationMessages(ctx, c.conversation, apiclient.Page{})
		if err != nil {
			return v, fmt.Errorf("read the messages on %s: %w", c.account.Channel, err)
		}
		for _, m := range list.Items {
			if m.Direction == "in" {
				v.heard++
			}
		}
		entries, err := agent.ConversationLog(ctx, c.conversation)
		if err != nil {
			return v, fmt.Errorf("read the log on %s: %w", c.account.Channel, err)
		}
		for _, e := range entries {
			if e.Kind == "log" && e.Event == "auto_close" {
				v.endings++
			}
		}
		v.answers += got(books, c, c.answered)
	}
	v.reminders, v.surveys = got(books, d.silent(), reminderText), got(books, d.silent(), surveyText)
	v.strange = len(books) - v.answers - v.reminders - v.surveys
	fmt.Fprintf(s.out, "  By the providers' own books: %d answers to %d customers, %d reminder and %d survey; by our log %d of %d conversations ended by itself.\n",
		v.answers, v.callers, v.reminders, v.surveys, v.endings, v.callers)
	return v, nil
}

// got is how often a text reached a customer.
func got(books []simulator.Delivery, c *caller, text string) int {
	n := 0
	for _, b := range books {
		if string(b.Channel) == c.account.Channel && b.Recipient == c.user && b.Delivered && b.ContentSHA256 == simulator.TextSHA256(text) {
			n++
		}
	}
	return n
}

// deskVerdict is what came of the demo's conversations: messages heard by us,
// answers, reminders and surveys delivered by the providers, and endings.
type deskVerdict struct{ callers, heard, answers, reminders, surveys, strange, endings int }

// fault says why the conversations went wrong, "" if they did not.
func (v deskVerdict) fault() string {
	switch {
	case v.heard != v.callers:
		return fmt.Sprintf("%d customers wrote once, %d messages were stored", v.callers, v.heard)
	case v.answers != v.callers:
		return fmt.Sprintf("%d customers got %d answers", v.callers, v.answers)
	case v.endings != 1:
		return fmt.Sprintf("one conversation fell silent, %d endings were logged", v.endings)
	case v.reminders != 1 || v.surveys != 1:
		return fmt.Sprintf("one conversation fell silent: %d reminders and %d surveys were delivered", v.reminders, v.surveys)
	case v.strange != 0:
		return fmt.Sprintf("%d messages in conversations that nobody wrote", v.strange)
	}
	return ""
}
