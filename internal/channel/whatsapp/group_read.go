package whatsapp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
)

// groupPage is how many groups one call of G2 asks for; 1,024 are possible.
const groupPage = "100"

// groupFields are what G3 is asked for; without them it gives the id alone.
const groupFields = "subject,description,suspended,creation_timestamp,total_participant_count,participants,join_approval_mode"

// groupNode is a group in the answer of G2 and of G3. The samples quote
// numbers and bools here and not there (section 3.2).
type groupNode struct {
	ID           graph.Scalar `json:"id"`
	Subject      graph.Scalar `json:"subject"`
	Description  graph.Scalar `json:"description"`
	Suspended    graph.Scalar `json:"suspended"`
	CreatedAt    graph.Scalar `json:"created_at"`         // G2
	CreationTime graph.Scalar `json:"creation_timestamp"` // G3
	Participants []person     `json:"participants"`
}

// person is somebody, by whatever identifiers there are (section 3.6).
type person struct {
	Input  graph.Scalar `json:"input"`
	WaID   graph.Scalar `json:"wa_id"`
	UserID graph.Scalar `json:"user_id"`
}

// id is the digits of the person's number, or the business-scoped id.
func (p person) id() string { return digits(first(p.WaID, p.Input, p.UserID)) }

func (n groupNode) group() channel.Group {
	g := channel.Group{
		ID: n.ID.String(), Subject: n.Subject.String(), Description: n.Description.String(),
		Suspended: strings.EqualFold(n.Suspended.String(), "true") || n.Suspended == "1",
		CreatedAt: moment(first(n.CreationTime, n.CreatedAt)),
	}
	for _, p := range n.Participants {
		if id := p.id(); id != "" {
			g.Members = append(g.Members, id)
		}
	}
	return g
}

// moment reads a time that is Unix seconds, or written out.
func moment(s string) time.Time {
	if t := graph.Scalar(s).Time(); !t.IsZero() {
		return t
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// digits writes a phone number as its digits, and leaves any other id alone.
func digits(id string) string {
	out := strings.Map(func(c rune) rune {
		if strings.ContainsRune("+-() ", c) {
			return -1
		}
		return c
	}, id)
	if strings.Trim(out, "0123456789") != "" {
		return id
	}
	return out
}

// paging is the end of a list of the Graph API. The last page has no next.
type paging struct {
	Cursors struct {
		After graph.Scalar `json:"after"`
	} `json:"cursors"`
	Next graph.Scalar `json:"next"`
}

func (p paging) after(asked string) string {
	next := p.Cursors.After.String()
	if u, err := url.Parse(p.Next.String()); err == nil && next == "" {
		next = u.Query().Get("after")
	}
	if p.Next == "" || next == asked {
		return ""
	}
	return next
}

// ListGroups makes one call of G2, whose data is an object.
func (c *Client) ListGroups(ctx context.Context, a channel.Account, after string) ([]channel.Group, string, error) {
	query := url.Values{"limit": {groupPage}}
	if after != "" {
		query.Set("after", after)
	}
	var page struct {
		Data   json.RawMessage `json:"data"`
		Paging paging          `json:"paging"`
	}
	if err := c.get(ctx, a, query, &page, a.ExternalID, "groups"); err != nil {
		return nil, "", err
	}
	nodes, ok := groupNodes(page.Data)
	if !ok {
		return nil, "", graph.Incomplete(http.MethodGet, channel.Answer{Status: http.StatusOK})
	}
	groups := make([]channel.Group, 0, len(nodes))
	for _, n := range nodes {
		groups = append(groups, n.group())
	}
	return groups, page.Paging.after(after), nil
}

// groupNodes reads data as the object it is, or as the list it is elsewhere.
func groupNodes(data json.RawMessage) ([]groupNode, bool) {
	var object struct {
		Groups []groupNode `json:"groups"`
	}
	if len(data) > 0 && json.Unmarshal(data, &object) == nil {
		return object.Groups, true
	}
	var list []groupNode
	return list, json.Unmarshal(data, &list) == nil
}

// ReadGroup makes one call of G3.
func (c *Client) ReadGroup(ctx context.Context, a channel.Account, groupID string) (channel.Group, error) {
	var n groupNode
	if err := c.get(ctx, a, url.Values{"fields": {groupFields}}, &n, groupID); err != nil {
		return channel.Group{}, err
	}
	if n.ID == "" {
		n.ID = graph.Scalar(groupID)
	}
	return n.group(), nil
}

// InviteLink makes one call: G6, or G7 with reset, after which every older
// link is dead. A reset whose answer is lost is Ambiguous: read the link.
func (c *Client) InviteLink(ctx context.Context, a channel.Account, groupID string, reset bool) (string, error) {
	call := graph.Call{Method: http.MethodGet, Path: []string{groupID, "invite_link"}}
	if reset {
		call.Method, call.Body = http.MethodPost, product{"whatsapp"}
	}
	ans, err := c.graph.Do(ctx, a, call)
	if err != nil {
		return "", groupError(a, call, err)
	}
	var body struct {
		Link graph.Scalar `json:"invite_link"`
	}
	if json.Unmarshal(ans.Body, &body) != nil || body.Link == "" {
		return "", graph.Incomplete(call.Method, ans)
	}
	return body.Link.String(), nil
}

// get makes a GET and reads its answer into out.
func (c *Client) get(ctx context.Context, a channel.Account, query url.Values, out any, path ...string) error {
	call := graph.Call{Method: http.MethodGet, Path: path, Query: query}
	ans, err := c.graph.Do(ctx, a, call)
	if err != nil {
		return groupError(a, call, err)
	}
	if json.Unmarshal(ans.Body, out) != nil {
		return graph.Incomplete(call.Method, ans)
	}
	return nil
}
