package whatsapp

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"omniflow/internal/channel"
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

var _ channel.Groups = (*Client)(nil)

// Limits of section 3.1, in bytes.
const (
	maxGroupSubject     = 128
	maxGroupDescription = 2048
)

// product is the body of a call that says nothing else.
type product struct {
	Product string `json:"messaging_product"`
}

// newGroup is the body of G1 and G4.
type newGroup struct {
	Product     string `json:"messaging_product"`
	Subject     string `json:"subject,omitempty"`
	Description string `json:"description,omitempty"`
	JoinMode    string `json:"join_approval_mode,omitempty"`
}

// CreateGroup makes one call of G1 (section 3.2); nothing repeats it. A second
// call would make a second group (section 7.5).
//
// Errors: *channel.Error. Ambiguous: the group may come to be; it is looked
// for by what its description ends with.
func (c *Client) CreateGroup(ctx context.Context, a channel.Account, g channel.GroupSpec) (channel.GroupReceipt, error) {
	subject := strings.TrimSpace(g.Subject)
	if err := checkGroupTexts(subject, g.Description); err != nil {
		return channel.GroupReceipt{}, channel.Refused(err)
	}
	if subject == "" {
		return channel.GroupReceipt{}, channel.Refused(omniflow.Refuse(omniflow.GroupNameRequired, "GRP-06", "a group has a name"))
	}
	body := newGroup{Product: "whatsapp", Subject: subject, Description: g.Description, JoinMode: "auto_approve"}
	if g.ApprovalRequired {
		body.JoinMode = "approval_required"
	}
	return c.operate(ctx, a, graph.Call{Path: []string{a.ExternalID, "groups"}, Body: body})
}

// UpdateGroup makes one call of G4. The result comes by webhook, item by item.
func (c *Client) UpdateGroup(ctx context.Context, a channel.Account, groupID, subject, description string) (channel.GroupReceipt, error) {
	subject = strings.TrimSpace(subject)
	if err := checkGroupTexts(subject, description); err != nil {
		return channel.GroupReceipt{}, channel.Refused(err)
	}
	if subject == "" && description == "" {
		return channel.GroupReceipt{}, channel.Refused(omniflow.Refuse(omniflow.InvalidInput, "GRP-06", "there is nothing to change"))
	}
	return c.operate(ctx, a, graph.Call{Path: []string{groupID},
		Body: newGroup{Product: "whatsapp", Subject: subject, Description: description}})
}

func checkGroupTexts(subject, description string) error {
	switch {
	case !utf8.ValidString(subject) || !utf8.ValidString(description):
		return omniflow.Refuse(omniflow.InvalidInput, "GRP-06", "the text is not UTF-8")
	case len(subject) > maxGroupSubject:
		return omniflow.Refuse(omniflow.GroupNameTooLong, "GRP-06", "a name has %d bytes at most, this one %d", maxGroupSubject, len(subject))
	case len(description) > maxGroupDescription:
		return omniflow.Refuse(omniflow.GroupDescriptionTooLong, "GRP-07",
			"a description has %d bytes at most, this one %d", maxGroupDescription, len(description))
	}
	return nil
}

// DeleteGroup makes one call of G5. A group that is not there (131041) is
// deleted.
func (c *Client) DeleteGroup(ctx context.Context, a channel.Account, groupID string) (channel.GroupReceipt, error) {
	receipt, err := c.operate(ctx, a, graph.Call{Method: http.MethodDelete, Path: []string{groupID}})
	return unless("131041", receipt, err)
}

// removal is the body of G11.
type removal struct {
	Product      string        `json:"messaging_product"`
	Participants []participant `json:"participants"`
}

type participant struct {
	User string `json:"user"`
}

// RemoveMember makes one call of G11, a DELETE with a body. Who is not a
// member (131212) is removed. Nobody who was removed can ever join again.
func (c *Client) RemoveMember(ctx context.Context, a channel.Account, groupID, user string) (channel.GroupReceipt, error) {
	user = strings.TrimSpace(user)
	if number, ok := phone(user); ok {
		user = number // normalised: the webhook echoes what was sent (section 3.6)
	} else if !strings.Contains(user, ".") {
		return channel.GroupReceipt{}, channel.Refused(omniflow.Refuse(omniflow.PhoneInvalid, "MEM", "the member is not an E.164 number"))
	}
	receipt, err := c.operate(ctx, a, graph.Call{Method: http.MethodDelete, Path: []string{groupID, "participants"},
		Body: removal{Product: "whatsapp", Participants: []participant{{User: user}}}})
	return unless("131212", receipt, err)
}

// operation is the answer to G1, G4, G5 and G11, of which the documents show
// several shapes (section 3.2): a request id, {"success":true}, or neither.
type operation struct {
	Product   graph.Scalar `json:"messaging_product"`
	RequestID graph.Scalar `json:"request_id"`
	Success   graph.Scalar `json:"success"`
}

// operate makes a call whose result comes by webhook. A partial success (206,
// 131201) is accepted: the webhook tells the rest.
func (c *Client) operate(ctx context.Context, a channel.Account, call graph.Call) (channel.GroupReceipt, error) {
	ans, err := c.graph.Do(ctx, a, call)
	if err != nil && !partly(ans, err) {
		return channel.GroupReceipt{}, groupError(a, call, err)
	}
	var op operation
	silent := json.Unmarshal(ans.Body, &op) != nil || op == (operation{})
	if silent && ans.Status != http.StatusPartialContent {
		return channel.GroupReceipt{}, graph.Incomplete(call.Method, ans)
	}
	if op.Success == "false" {
		return channel.GroupReceipt{}, channel.Terminal(omniflow.ProviderRejected).Error("success_false", ans.Status)
	}
	return channel.GroupReceipt{RequestID: op.RequestID.String(), Trace: graph.Trace(ans)}, nil
}

// partly says that an error is the news of a partial success.
func partly(ans channel.Answer, err error) bool {
	e, ok := err.(*channel.Error)
	return ok && e.Code == "131201" && ans.Status >= 200 && ans.Status <= 299
}

// unless reads a refusal with the given code as success: what was asked for is
// so already (section 7.5).
func unless(code string, receipt channel.GroupReceipt, err error) (channel.GroupReceipt, error) {
	if e, ok := err.(*channel.Error); ok && e.Code == code {
		return channel.GroupReceipt{Trace: e.Trace}, nil
	}
	return receipt, err
}

// groupError reads an error of a call on a group's own path. There "no such
// object" (100/33, 803) is about the group and not about our account.
func groupError(a channel.Account, call graph.Call, err error) error {
	e, ok := err.(*channel.Error)
	if !ok || len(call.Path) == 0 || call.Path[0] == a.ExternalID {
		return err
	}
	if e.Code == "803" || e.Code == "100" && e.Fault == channel.Misconfigured {
		e.Fault, e.Scope, e.Reason = channel.Rejected, channel.ScopeMessage, omniflow.NotFound
	}
	return e
}
