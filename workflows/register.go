package workflows

import "go.temporal.io/sdk/worker"

// Register adds every workflow to r: a worker, a replayer or a test server.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflow(SendBroadcast)
	r.RegisterWorkflow(SendLane)
	r.RegisterWorkflow(CreateGroup)
	r.RegisterWorkflow(ChangeGroupMember)
	r.RegisterWorkflow(ChangeGroup)
	r.RegisterWorkflow(ServeConversation)
}
