package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// room plays the group of the story: each look shows it one step further.
type room struct {
	looks             int
	approved, removed bool
	messages          []apiclient.GroupMessage
	invitations       int // to the first person
}

func (w *world) groupRoutes() {
	w.room.invitations = 1
	for _, path := range []string{"POST /v1/teams/T/templates", "PUT /v1/teams/T/group-settings", "POST /_sim/templates", "PUT /_sim/groups/settings",
		"PUT /_sim/groups/faults", "POST /_sim/groups/users"} {
		w.handle(path, func(*http.Request) any { return struct{}{} })
	}
	w.handle("POST /v1/groups", func(*http.Request) any { return apiclient.Accepted{ID: "G", WorkflowID: "wa-group/T/G"} })
	w.handle("GET /v1/groups/G", func(*http.Request) any { return w.room.show() })
	w.handle("POST /v1/groups/G/members/m2:approve", func(*http.Request) any { w.room.approved = true; return apiclient.GroupMember{} })
	w.handle("DELETE /v1/groups/G/members/m3", func(*http.Request) any { w.room.removed = true; return apiclient.GroupMember{} })
	w.handle("GET /v1/groups/G/messages", func(*http.Request) any { return apiclient.List[apiclient.GroupMessage]{Items: w.room.messages} })
	w.handle("POST /v1/groups/G/messages", func(*http.Request) any {
		w.room.messages = append(w.room.messages, apiclient.GroupMessage{Direction: "out", State: "read", Members: 2, Received: 2, Read: 2})
		return apiclient.Accepted{ID: "X"}
	})
	w.handle("POST /_sim/groups/g-1/send", func(*http.Request) any {
		w.room.messages = append(w.room.messages, apiclient.GroupMessage{Direction: "in"})
		return struct{}{}
	})
	w.handle("GET /_sim/groups", func(*http.Request) any {
		return []simulator.GroupTruth{{ExternalID: "somebody else's"}, {ExternalID: w.number, ID: "g-1", Members: []string{"1", "2"},
			Invitations: map[string]int{"1": w.room.invitations, "2": 1, "3": 1}}}
	})
	w.handle("GET /_sim/groups/deliveries", func(*http.Request) any {
		return []simulator.GroupDelivery{{ExternalID: w.number}, {ExternalID: w.number}, {ExternalID: "somebody else's"}}
	})
}

func (r *room) show() apiclient.Group {
	g := apiclient.Group{ID: "G", Title: "[群組] VIP", State: "reviewing", Waiting: &apiclient.Wait{For: "the provider's review"}}
	if r.looks++; r.looks == 1 {
		return g
	}
	soon := time.Now()
	g.State, g.Waiting = "created", nil
	asks := apiclient.GroupMember{ID: "m2", Phone: whoAsks, State: "inviting", Waiting: &apiclient.Wait{For: "somebody to approve or reject the join request", Until: &soon}}
	if r.approved {
		asks.State, asks.Waiting = "joined", nil
	}
	g.Members = []apiclient.GroupMember{{ID: "m1", Phone: whoJoins, State: "joined"}, asks}
	if !r.removed {
		g.Members = append(g.Members, apiclient.GroupMember{ID: "m3", Phone: whoIgnores, State: "inviting", Waiting: &apiclient.Wait{For: "the number to join"}})
	}
	return g
}

func TestStoryOfAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld()
	_, out := tell(t, w)
	for _, want := range []string{
		"[群組] VIP is reviewing, waits for the provider's review", "[群組] VIP is created", "+886911000002  inviting, waits for somebody to approve",
		"+886911000003  removed", "it is read: 2 of 2 members received it, 2 read it", "1 group, 3 invitations to 3 people, 2 members, the answer delivered to 2",
		"http://ui/namespaces/omniflow/workflows/wa-group%2FT%2FG", "starter group show $GROUP",
	} {
		require.Contains(t, out, want)
	}
	require.NotEqual(t, w.number, w.accounts["whatsapp"].ExternalID, "the group has a number of its own")
}

func TestStoryFindsASecondInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.room.invitations = 2
	v, _ := tell(t, w)
	require.Equal(t, "demo: FAILED 3 people got 4 invitations", v.lastLine())
}
