// Package e2e tests omniflow as a user has it: the built programs on a real
// PostgreSQL and a real Temporal server, reached through the API alone, with
// simulated providers that misbehave and processes that die by SIGKILL. The
// simulators' own books are the judge.
//
// Each test has a stack of its own on free ports, of which nothing remains. A
// test prints its seed; E2E_SEED or the flag -seed runs it with the same one:
//
//	E2E_SEED=42 go test -run TestKills ./internal/e2e
//	E2E_RECIPIENTS=20000 E2E_KILLS=20 go test -v -run TestKills -timeout 60m ./internal/e2e
//	go test -run TestGroupsSurvive ./internal/e2e
//	E2E_CONVERSATIONS=500 E2E_CONVERSATION_KILLS=12 go test -v -run TestConversationsSurvive -timeout 60m ./internal/e2e
//	go test -run TestRecordHistories ./internal/e2e -record
//
// The second and the fourth command are `make chaos`: the same tests for
// longer. The last records the histories of workflows/testdata anew.
package e2e
