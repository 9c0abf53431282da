package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
)

// joinRequests is GET /{group}/join_requests, oldest first.
func (a *account) joinRequests(g *group, r groupRequest) reply {
	page, paging, bad := pageOf(r.http, g.requests, func(q *joinRequest) string { return q.id })
	if bad != 0 {
		return a.groupFail(bad)
	}
	data := make([]map[string]any, 0, len(page))
	for _, q := range page {
		data = append(data, map[string]any{"join_request_id": q.id, "wa_id": q.person, "creation_timestamp": a.quoted(q.at.Unix())})
	}
	return graphReply(http.StatusOK, map[string]any{"data": data, "paging": paging})
}

// joinDecision is the answer of section 3.3.
type joinDecision struct {
	Product  string           `json:"messaging_product"`
	Approved []string         `json:"approved_join_requests,omitempty"`
	Rejected []string         `json:"rejected_join_requests,omitempty"`
	Failed   []map[string]any `json:"failed_join_requests,omitempty"`
	Errors   []map[string]any `json:"errors,omitempty"`
}

// approve is POST /{group}/join_requests.
func (a *account) approve(g *group, r groupRequest) reply {
	var out joinDecision
	var people []string
	rep := a.decide(g, r, &out, func(q *joinRequest) int {
		switch {
		case a.groupsBook().people[q.person].TermsOutdated:
			return 131203
		case len(g.members) >= maxMembers:
			return 131204
		}
		a.admit(g, q.person)
		people, out.Approved = append(people, q.person), append(out.Approved, q.id)
		return 0
	})
	if len(people) > 0 {
		a.tell(a.joinedEvent(g, people, true))
	}
	return rep
}

// reject is DELETE /{group}/join_requests; no webhook tells of it.
func (a *account) reject(g *group, r groupRequest) reply {
	var out joinDecision
	return a.decide(g, r, &out, func(q *joinRequest) int {
		g.withdraw(q.person)
		out.Rejected = append(out.Rejected, q.id)
		return 0
	})
}

// decide does one thing to each request of the body; it returns 0 or a code.
func (a *account) decide(g *group, r groupRequest, out *joinDecision, one func(*joinRequest) int) reply {
	var body struct {
		Product  string   `json:"messaging_product"`
		Requests []string `json:"join_requests"`
	}
	if json.Unmarshal(r.body, &body) != nil || body.Product != "whatsapp" {
		return a.graphFail(*badParameter("The request body is not the JSON of join requests."))
	}
	if len(body.Requests) == 0 {
		return a.graphFail(*missing("join_requests"))
	}
	found := map[string]*joinRequest{}
	for _, q := range g.requests {
		if slices.Contains(body.Requests, q.id) {
			found[q.id] = q
		}
	}
	if len(found) == 0 {
		return a.groupFail(131213)
	}
	out.Product = "whatsapp"
	for _, id := range body.Requests {
		code := 131213
		if q := found[id]; q != nil {
			delete(found, id) // named twice, it is gone the second time
			code = one(q)
		}
		if code != 0 {
			out.Failed = append(out.Failed, map[string]any{"join_request_id": id, "errors": groupErrors(code)})
		}
	}
	if len(out.Failed) == 0 {
		return graphReply(http.StatusOK, *out)
	}
	out.Errors = groupErrors(131201)
	return graphReply(http.StatusPartialContent, *out)
}
