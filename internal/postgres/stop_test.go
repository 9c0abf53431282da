package postgres

import (
	"testing"

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
