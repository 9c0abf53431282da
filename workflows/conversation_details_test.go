package workflows_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	sdk "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/testsuite"

	"omniflow/internal/omniflow"
	"omniflow/workflows"
)

// metadata is the query by which the Temporal UI asks for current details.
const metadata = "__temporal_workflow_metadata"

// What a person reads in the Temporal UI is whole sentences about one
// conversation, whatever it waits for.
func TestTheCurrentDetailsOfAConversation(t *testing.T) {
	t.Parallel()
	who, ends := uuid.MustParse("0190b6a4-0000-7000-8000-000000000001"), time.Date(2026, 11, 21, 18, 0, 0, 0, time.FixedZone("", 8*3600))
	type turn = omniflow.ConversationTurn
	for want, now := range map[string]turn{
		"pending_bot": {State: omniflow.PendingBot, Window: omniflow.Open},
		"pending_human; the customer waits: over_30m": {State: omniflow.PendingHuman, FollowerID: who, Waiting: omniflow.WaitingOver30m},
		"handling":                           {State: omniflow.Handling},
		"handling by member " + who.String(): {State: omniflow.Handling, FollowerID: who},
		"handling; closes 2026-11-21 10:00 unless the customer writes":        {State: omniflow.Handling, ClosesAt: ends},
		"handling; only templates may be sent until the customer writes":      {State: omniflow.Handling, Window: omniflow.TemplateOnly},
		"handling; nothing promotional may be sent until the customer writes": {State: omniflow.Handling, Window: omniflow.NonPromotional},
		"handling; nothing may be sent until the customer writes":             {State: omniflow.Handling, Window: omniflow.Blocked},
		"handling; 1 message queued":                                          {State: omniflow.Handling, Queued: 1},
		"handling; 2 messages queued":                                         {State: omniflow.Handling, Queued: 2},
		"closed; 1 message queued":                                            {State: omniflow.Closed, FollowerID: who, Queued: 1},
		"The conversation is over: closed.":                                   {State: omniflow.Closed, Over: true, Outcome: omniflow.OutcomeClosed},
		"The conversation is over: auto_closed.":                              {State: omniflow.Closed, Over: true, Outcome: omniflow.OutcomeAutoClosed},
		"The conversation is over: deleted.":                                  {Over: true, Outcome: omniflow.OutcomeDeleted},
		"handling by member " + who.String() + "; the customer waits: over_2h; closes 2026-11-21 10:00 unless the customer writes; " +
			"nothing promotional may be sent until the customer writes; 3 messages queued": {State: omniflow.Handling, FollowerID: who,
			Waiting: omniflow.WaitingOver2h, ClosesAt: ends, Window: omniflow.NonPromotional, Queued: 3},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			workflows.Register(env)
			now.Next = ten.Add(time.Hour)
			env.SetStartTime(ten)
			env.OnActivity(acts.ServeConversation, mock.Anything, mock.Anything).Return(now, nil)
			env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
			env.ExecuteWorkflow(workflows.ServeConversation, omniflow.ServeConversationInput{})
			value, err := env.QueryWorkflow(metadata)
			require.NoError(t, err)
			var read sdk.WorkflowMetadata
			require.NoError(t, value.Get(&read))
			require.Equal(t, want, read.CurrentDetails)
		})
	}
}
