package whatsapp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// maxRequestPages bounds how many pages of join requests are read.
const maxRequestPages = 100

// JoinRequests reads all pages of G8.
func (c *Client) JoinRequests(ctx context.Context, a channel.Account, groupID string) ([]channel.JoinRequest, error) {
	list, after := []channel.JoinRequest{}, ""
	for range maxRequestPages {
		query := url.Values{}
		if after != "" {
			query.Set("after", after)
		}
		var page struct {
			Data []struct {
				ID graph.Scalar `json:"join_request_id"`
				person
			} `json:"data"`
			Paging paging `json:"paging"`
		}
		if err := c.get(ctx, a, query, &page, groupID, "join_requests"); err != nil {
			return nil, err
		}
		for _, r := range page.Data {
			list = append(list, channel.JoinRequest{ID: r.ID.String(), User: r.id()})
		}
		if after = page.Paging.after(after); after == "" {
			break
		}
	}
	return list, nil
}

// decision is the body of G9 and G10.
type decision struct {
	Product  string   `json:"messaging_product"`
	Requests []string `json:"join_requests"`
}

// decided is section 3.3:
//
//	{"approved_join_requests":["1"],"failed_join_requests":[{"join_request_id":"2",
//	  "errors":[{"code":131203,"title":"…"}]}],"errors":[{"code":131201}]}
type decided struct {
	Approved []graph.Scalar `json:"approved_join_requests"`
	Rejected []graph.Scalar `json:"rejected_join_requests"`
	Failed   []struct {
		ID     graph.Scalar `json:"join_request_id"`
		Errors problems     `json:"errors"`
	} `json:"failed_join_requests"`
	Errors problems `json:"errors"`
}

// DecideJoinRequests makes one call: G9, or G10, a DELETE with a body. A
// request that the answer does not speak of is Ambiguous in failed.
func (c *Client) DecideJoinRequests(ctx context.Context, a channel.Account, groupID string, ids []string, approve bool) (map[string]*channel.Error, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 {
		return nil, channel.Refused(omniflow.Refuse(omniflow.InvalidInput, "MEM", "no join request is named"))
	}
	call := graph.Call{Method: http.MethodPost, Path: []string{groupID, "join_requests"}, Body: decision{"whatsapp", ids}}
	if !approve {
		call.Method = http.MethodDelete
	}
	ans, err := c.graph.Do(ctx, a, call)
	if err != nil && !partly(ans, err) {
		return nil, groupError(a, call, err)
	}
	var d decided
	if json.Unmarshal(ans.Body, &d) != nil {
		return nil, graph.Incomplete(call.Method, ans)
	}
	return d.failures(ids, approve, ans), nil
}

// failures are the ids that were not decided, and why.
func (d decided) failures(ids []string, approve bool, ans channel.Answer) map[string]*channel.Error {
	taken := d.Rejected
	if approve {
		taken = d.Approved
	}
	failed := map[string]*channel.Error{}
	for _, id := range ids {
		if !slices.Contains(taken, graph.Scalar(id)) {
			failed[id] = channel.Lost().Error("unanswered", ans.Status)
		}
	}
	for _, f := range d.Failed {
		e := f.Errors.fault(d.Errors)
		e.HTTPStatus, e.Trace = ans.Status, graph.Trace(ans)
		failed[f.ID.String()] = e
	}
	return failed
}

// problems are the errors of an item, in answers and webhooks alike. Their
// words are not read.
type problems []struct {
	Code graph.Scalar `json:"code"`
}

// fault is the meaning of the first of p, else of the first of others that
// says more than "partly done", else of an unknown error. What it is about did
// not happen, so that nothing in it is ambiguous.
func (p problems) fault(others problems) *channel.Error {
	if len(p) > 0 {
		return failure(p[0].Code.Int())
	}
	for _, o := range others {
		if o.Code != "131201" {
			return failure(o.Code.Int())
		}
	}
	return failure(unknownError)
}

// unknownError is the code that stands for "no reason was given".
const unknownError = 131000
