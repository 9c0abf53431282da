package temporalclient_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"omniflow/internal/temporalserver"
	"omniflow/internal/temporaltest"
	"omniflow/workflows"
)

// TestTheListsOfTheRunbookFind asks Temporal what the ready-made addresses of
// deploy/README.md ask it, with one run there that each should find.
func TestTheListsOfTheRunbookFind(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	team, conversation := uuid.NewString(), uuid.NewString()
	w := worker.New(server.Client, "somebody", worker.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context) error { return nil }, workflow.RegisterOptions{Name: "Any"})
	require.NoError(t, w.Start())
	defer w.Stop()
	queue := "somebody" // what begins here ends at once
	begin := func(kind string, more ...temporal.SearchAttributeUpdate) client.WorkflowRun {
		run, err := server.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: queue,
			TypedSearchAttributes: temporal.NewSearchAttributes(append(more, workflows.TeamIDKey.ValueSet(team), workflows.JobKindKey.ValueSet(kind))...)}, "Any")
		require.NoError(t, err)
		return run
	}
	for _, outcome := range []string{"completed", "completed_with_failures"} {
		require.NoError(t, begin("broadcast", workflows.OutcomeKey.ValueSet(outcome)).Get(ctx, nil))
	}
	queue = "nobody" // and what begins here stays open
	begin("broadcast")
	begin("broadcast_lane")
	begin("conversation", workflows.ConversationIDKey.ValueSet(conversation))
	begin("group", workflows.FailureCodeKey.ValueSet("review_timeout"))
	broken := begin("group_change")
	require.NoError(t, server.Client.TerminateWorkflow(ctx, broken.GetID(), "", "a test"))

	count := func(query string) int64 {
		answer, err := server.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: client.DefaultNamespace, Query: query})
		require.NoError(t, err, query)
		return answer.Count
	}
	want := map[string]int64{"Sending": 2, "Incomplete": 1, "Refused": 1, "Conversation": 1, "Open conversations": 1, "Broken": 1}
	found := 0
	for name, query := range listsOfTheRunbook(t, map[string]string{"TEAM": team, "CONVERSATION": conversation}) {
		expected, known := want[name]
		require.True(t, known, "%s is looked at", name)
		// What is listed lags a little behind what has happened.
		require.Eventually(t, func() bool { return count(query) == expected }, 20*time.Second, 50*time.Millisecond, query)
		found++
	}
	require.Len(t, want, found)
}

// listsOfTheRunbook are the queries of the addresses in deploy/README.md, by
// name, with placeholders filled in.
func listsOfTheRunbook(t *testing.T, fill map[string]string) map[string]string {
	t.Helper()
	root, err := temporalserver.Root(".")
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "deploy", "README.md"))
	require.NoError(t, err)
	lists := map[string]string{}
	for _, m := range regexp.MustCompile("`\\?(savedQuery=[^`]+)`").FindAllStringSubmatch(string(text), -1) {
		values, err := url.ParseQuery(m[1])
		require.NoError(t, err)
		lists[values.Get("savedQuery")] = os.Expand(regexp.MustCompile(`"([A-Z]+)"`).ReplaceAllString(values.Get("query"), `"$$$1"`), func(k string) string { return fill[k] })
	}
	return lists
}
