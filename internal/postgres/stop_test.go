package postgres

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

func TestAStopByWebhookHoldsTheRest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		template bool
		held     omniflow.Code
	}{{"an account", false, omniflow.HeldAccount}, {"a template's lane", true, omniflow.HeldStopped}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			s.customers(omniflow.WhatsApp, 5)
			s.plan("你好")
			fence, _ := s.take(omniflow.WhatsApp)
			first := s.claim(omniflow.WhatsApp, fence, 1).Messages[0]
			stop := omniflow.Stop{TeamID: s.ID, ChannelAccountID: s.account(omniflow.WhatsApp), MessageID: first.ID, Template: c.template, Code: "1", Reason: omniflow.TemplatePaused}
			s.drain(omniflow.Intake{Stops: []omniflow.Stop{stop, stop}})
			require.Equal(t, c.held, s.claim(omniflow.WhatsApp, fence, 5).Held)
			require.Equal(t, 4, s.tally(omniflow.WhatsApp).Queued)
		})
	}
}

// putOff stops the accounts and is a message that waits for its own, put off by
// a claim, while the run of its conversation sleeps.
func (c *dialogue) putOff() omniflow.MessageRef {
	c.t.Helper()
	c.Exec(`UPDATE channel_accounts SET state = 'stopped'`)
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: c.say(c.id, omniflow.OriginAgent, c.Member, text("1"))}
	c.stillStopped(ref)
	c.serve()
	return ref
}

func (c *dialogue) stillStopped(ref omniflow.MessageRef) {
	c.t.Helper()
	m, st, err := c.ClaimMessage(c.t.Context(), ref)
	require.NoError(c.t, err)
	require.Nil(c.t, m)
	require.Equal(c.t, omniflow.AccountStopped, st.Code)
}

func TestWhatWaitsForAnAccountGoesAsSoonAsItIsResumed(t *testing.T) {
	t.Parallel()
	for name, resume := range map[string]func(*dialogue) error{
		"account resume": func(c *dialogue) error {
			return c.ResumeAccount(c.t.Context(), c.ID, c.account(omniflow.WhatsApp), By{})
		},
		"new secrets": func(c *dialogue) error {
			return c.SetAccountSecrets(c.t.Context(), c.ID, c.account(omniflow.WhatsApp), []byte("x"), By{})
		},
		"broadcast resume": func(c *dialogue) error {
			_, err := c.ControlBroadcast(c.t.Context(), omniflow.ControlOrder{TeamID: c.ID, BroadcastID: c.job.BroadcastID, ActorID: c.Member, Order: omniflow.OrderResume})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, omniflow.WhatsApp)
			c.plan("你好")
			first := c.putOff()
			before := c.signals(c.id)
			require.NoError(t, resume(c))
			require.Equal(t, before+1, c.signals(c.id), "its run is told")
			require.NoError(t, resume(c))
			require.Equal(t, before+1, c.signals(c.id), "once")
			c.say(c.id, omniflow.OriginAgent, c.Member, text("2"))
			require.Equal(t, []uuid.UUID{first.MessageID}, c.serve().Due, "what was said first goes first")
			require.Zero(t, c.countOf(`SELECT count(*) FROM messages WHERE broadcast_id IS NOT NULL AND due_at IS NOT NULL`), "lanes go by themselves")
			c.deliver()
			require.Equal(t, 2, c.sentOf(omniflow.OriginAgent))
		})
	}
}

func TestOnlyWhatWaitsForTheResumedAccountIsTold(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	ref := c.putOff()
	before := c.signals(c.id)
	require.NoError(t, c.ResumeAccount(t.Context(), c.ID, c.account(omniflow.LINE), By{}))
	require.Equal(t, before, c.signals(c.id), "of another account")
	c.Exec(`UPDATE messages SET code = 'provider_throttled' WHERE id = $1`, ref.MessageID)
	require.NoError(t, c.ResumeAccount(t.Context(), c.ID, c.account(omniflow.WhatsApp), By{}))
	require.Equal(t, before, c.signals(c.id), "it waits for something else")
}

func TestAnInvitationThatWaitsForAnAccountGoesAsSoonAsItIsResumed(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	group := c.newGroup("g", omniflow.CallDue)
	c.Exec(`UPDATE channel_accounts SET state = 'stopped'`)
	var member uuid.UUID
	c.Scan(&member, `SELECT id FROM group_members WHERE group_id = $1`, group)
	ref := omniflow.MessageRef{TeamID: c.ID, MessageID: newID()}
	require.NoError(t, c.inTeam(t.Context(), c.ID, func(tx pgx.Tx) error {
		_, err := queueMessage(t.Context(), tx, queuedMessage{ID: ref.MessageID, TeamID: c.ID, ChannelAccountID: c.account(omniflow.WhatsApp), ConversationID: member,
			Recipient: "886911000001", Contents: []omniflow.Content{text("x")}})
		return err
	}))
	c.Exec(`UPDATE group_members SET state = 'inviting', message_id = $2 WHERE id = $1`, member, ref.MessageID)
	c.stillStopped(ref)
	told := func() int {
		return c.countOf(`SELECT count(*) FROM outbox_signals WHERE workflow_id = $1`, omniflow.ChangeGroupMemberID(c.ID, group, "h1"))
	}
	before := told()
	require.NoError(t, c.ResumeAccount(t.Context(), c.ID, c.account(omniflow.WhatsApp), By{}))
	require.Equal(t, before+1, told())
	m, _, err := c.ClaimMessage(t.Context(), ref)
	require.NoError(t, err)
	require.NotNil(t, m)
}

// A claim finds the account stopped while somebody resumes it: neither order
// leaves the message behind.
func TestAClaimThatMeetsTheResumptionOfItsAccount(t *testing.T) {
	t.Parallel()
	resume := func(c *dialogue) <-chan error {
		return beside(func() error { return c.ResumeAccount(c.t.Context(), c.ID, c.account(omniflow.WhatsApp), By{}) })
	}
	t.Run("the claim waits and goes", func(t *testing.T) {
		t.Parallel()
		c := newDialogue(t, omniflow.WhatsApp)
		ref := c.putOff()
		c.Exec(`UPDATE messages SET due_at = now() WHERE id = $1`, ref.MessageID)
		tx := c.begin()
		_, err := tx.Exec(t.Context(), `UPDATE channel_accounts SET state = 'active'`)
		require.NoError(t, err)
		var m *omniflow.OutgoingMessage
		claimed := beside(func() (err error) { m, _, err = c.ClaimMessage(t.Context(), ref); return err })
		c.blocked(1)
		require.NoError(t, tx.Commit(t.Context()))
		require.NoError(t, <-claimed)
		require.NotNil(t, m)
	})
	t.Run("the resumption waits and tells", func(t *testing.T) {
		t.Parallel()
		c := newDialogue(t, omniflow.WhatsApp)
		ref := c.putOff()
		c.Exec(`UPDATE messages SET due_at = now() WHERE id = $1`, ref.MessageID)
		before := c.signals(c.id)
		conversation := c.begin() // holds the claim up after its look at the account
		_, err := conversation.Exec(t.Context(), `SELECT FROM conversations WHERE id = $1 FOR UPDATE`, c.id)
		require.NoError(t, err)
		claimed := beside(func() error { _, _, err := c.ClaimMessage(t.Context(), ref); return err })
		c.blocked(1)
		done := resume(c)
		c.blocked(2)
		require.NoError(t, conversation.Commit(t.Context()))
		require.NoError(t, <-claimed)
		require.NoError(t, <-done)
		require.Equal(t, before+1, c.signals(c.id))
		require.Equal(t, []uuid.UUID{ref.MessageID}, c.serve().Due)
	})
	t.Run("the run that goes to sleep is told", func(t *testing.T) {
		t.Parallel()
		c := newDialogue(t, omniflow.WhatsApp)
		c.putOff()
		c.Exec(`UPDATE conversations SET armed_until = now() WHERE id = $1`, c.id) // it is about to look
		before := c.signals(c.id)
		tx := c.begin()
		_, err := tx.Exec(t.Context(), `UPDATE conversations SET armed_until = now() + interval '10 minutes' WHERE id = $1`, c.id)
		require.NoError(t, err)
		done := resume(c)
		c.blocked(1)
		require.NoError(t, tx.Commit(t.Context()))
		require.NoError(t, <-done)
		require.Equal(t, before+1, c.signals(c.id))
	})
}

// beside runs step beside the test.
func beside(step func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- step() }()
	return done
}
