package whatsapp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
)

// seen is one call as it came to the provider.
type seen struct {
	method, path string
	query        url.Values
	body         string
}

// answering is a client of a server that answers every call alike.
func answering(t *testing.T, status int, body string) (*Client, channel.Account, chan seen) {
	t.Helper()
	calls := make(chan seen, 100)
	p := channeltest.Answering(t, made, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		calls <- seen{r.Method, r.URL.EscapedPath(), r.URL.Query(), string(raw)}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	return p.(*Client), channel.Account{ExternalID: phoneID, Secrets: channel.Secrets{Token: "t"}}, calls
}

// The calls of section 3.2 as they go over the wire.
func TestGroupCalls(t *testing.T) {
	t.Parallel()
	const group = "Y2F/g=="
	tests := []struct {
		name, method, path, body string
		do                       func(context.Context, *Client, channel.Account) error
	}{
		{"G1", "POST", "/v25.0/" + phoneID + "/groups", `{"messaging_product":"whatsapp","subject":"S","description":"D","join_approval_mode":"auto_approve"}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.CreateGroup(ctx, a, channel.GroupSpec{Subject: "S ", Description: "D"})
				return err
			}},
		{"G1 with approval", "POST", "/v25.0/" + phoneID + "/groups", `{"messaging_product":"whatsapp","subject":"S","join_approval_mode":"approval_required"}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.CreateGroup(ctx, a, channel.GroupSpec{Subject: "S", ApprovalRequired: true})
				return err
			}},
		{"G4", "POST", "/v25.0/Y2F%2Fg==", `{"messaging_product":"whatsapp","description":"D"}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.UpdateGroup(ctx, a, group, "", "D")
				return err
			}},
		{"G5", "DELETE", "/v25.0/Y2F%2Fg==", ``, func(ctx context.Context, c *Client, a channel.Account) error {
			_, err := c.DeleteGroup(ctx, a, group)
			return err
		}},
		{"G7", "POST", "/v25.0/Y2F%2Fg==/invite_link", `{"messaging_product":"whatsapp"}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.InviteLink(ctx, a, group, true)
				return err
			}},
		{"G9", "POST", "/v25.0/Y2F%2Fg==/join_requests", `{"messaging_product":"whatsapp","join_requests":["1","2"]}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.DecideJoinRequests(ctx, a, group, []string{"2", "1", "2"}, true)
				return err
			}},
		{"G10", "DELETE", "/v25.0/Y2F%2Fg==/join_requests", `{"messaging_product":"whatsapp","join_requests":["1"]}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.DecideJoinRequests(ctx, a, group, []string{"1"}, false)
				return err
			}},
		{"G11", "DELETE", "/v25.0/Y2F%2Fg==/participants", `{"messaging_product":"whatsapp","participants":[{"user":"+886912345678"}]}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.RemoveMember(ctx, a, group, "886912345678")
				return err
			}},
		{"G11 of a user name", "DELETE", "/v25.0/Y2F%2Fg==/participants", `{"messaging_product":"whatsapp","participants":[{"user":"TW.1349"}]}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.RemoveMember(ctx, a, group, "TW.1349")
				return err
			}},
		{"G15", "POST", "/v25.0/" + phoneID + "/messages", `{"messaging_product":"whatsapp","recipient_type":"group","to":"Y2F/g==",
			"type":"text","text":{"body":"hi"},"biz_opaque_callback_data":"m1.019a2b3c-0000-7000-8000-000000000001.2"}`,
			func(ctx context.Context, c *Client, a channel.Account) error {
				_, err := c.SendToGroup(ctx, a, channel.Message{Key: key, Recipient: group, Contents: text1("hi")})
				return err
			}},
	}
	for _, test := range tests {
		t.Run("section 3.2 "+test.name, func(t *testing.T) {
			t.Parallel()
			c, a, calls := answering(t, 200, `{"messaging_product":"whatsapp","request_id":"r1","invite_link":"l",
				"approved_join_requests":["1","2"],"rejected_join_requests":["1"],"messages":[{"id":"wamid.1","group_id":"Y2F"}]}`)
			require.NoError(t, test.do(t.Context(), c, a))
			got := <-calls
			require.Equal(t, test.method, got.method)
			require.Equal(t, test.path, got.path)
			if test.body == "" {
				require.Empty(t, got.body)
				return
			}
			require.JSONEq(t, test.body, got.body)
		})
	}
}

// The answers to G1, G4, G5 and G11 differ between documents (section 3.2).
func TestGroupOperationAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		status     int
		requestID  string
		fault      channel.Fault
		code       string
	}{
		{"a request id", `{"messaging_product":"whatsapp","request_id":"r1"}`, 200, "r1", "", ""},
		{"a request id that is a number", `{"request_id":17}`, 200, "17", "", ""},
		{"success", `{"success":true}`, 200, "", "", ""},
		{"success, quoted", `{"success":"true"}`, 200, "", "", ""},
		{"neither", `{"messaging_product":"whatsapp"}`, 200, "", "", ""},
		{"in part", `{"failed_participants":[]}`, 206, "", "", ""},
		{"in part, as an error", `{"error":{"code":131201}}`, 206, "", "", ""},
		{"no success", `{"success":false}`, 200, "", channel.Rejected, "success_false"},
		{"nothing at all", `{}`, 200, "", channel.Ambiguous, "truncated"},
		{"half of it", `{"messaging_pro`, 200, "", channel.Ambiguous, "truncated"},
		{"a page of a proxy", `<html>`, 502, "", channel.Ambiguous, "http_502"},
		{"a refusal with status 200", `{"error":{"code":131208}}`, 200, "", channel.Throttled, "131208"},
		{"an unknown error", `{"error":{"code":131000}}`, 500, "", channel.Ambiguous, "131000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, a, calls := answering(t, test.status, test.body)
			_, create := c.CreateGroup(t.Context(), a, channel.GroupSpec{Subject: "S"})
			receipt, remove := c.RemoveMember(t.Context(), a, "Y2F", "886912345678")
			for _, err := range []error{create, remove} {
				if test.fault == "" {
					require.NoError(t, err)
					continue
				}
				var e *channel.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, test.fault, e.Fault)
				require.Equal(t, test.code, e.Code)
			}
			require.Equal(t, test.requestID, receipt.RequestID)
			require.Len(t, calls, 2)
		})
	}
}

func TestDoneAlready(t *testing.T) {
	t.Parallel()
	for code, want := range map[int][2]bool{131041: {true, false}, 131212: {false, true}, 131207: {false, false}} {
		c, a, _ := answering(t, 400, fmt.Sprintf(`{"error":{"code":%d}}`, code))
		_, deleted := c.DeleteGroup(t.Context(), a, "Y2F")
		_, removed := c.RemoveMember(t.Context(), a, "Y2F", "886912345678")
		require.Equal(t, want, [2]bool{deleted == nil, removed == nil}, code)
	}
}

// "No such object" is about the group on a group's path, about our own account
// elsewhere (section 1.2); it is no proof that a group was deleted.
func TestMissingObject(t *testing.T) {
	t.Parallel()
	for _, code := range []string{`"code":100,"error_subcode":33`, `"code":803`} {
		c, a, _ := answering(t, 400, `{"error":{`+code+`}}`)
		var e *channel.Error
		_, err := c.ReadGroup(t.Context(), a, "Y2F")
		require.ErrorAs(t, err, &e)
		require.Equal(t, channel.Rejected, e.Fault)
		require.Equal(t, omniflow.NotFound, e.Reason)
		_, err = c.DeleteGroup(t.Context(), a, "Y2F")
		require.ErrorAs(t, err, &e)
	}
	c, a, _ := answering(t, 400, `{"error":{"code":100,"error_subcode":33}}`)
	_, _, err := c.ListGroups(t.Context(), a, "")
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, channel.Misconfigured, e.Fault)
}

// The data of G2 is an object; numbers may be quoted, times written out.
func TestListGroupsAnswers(t *testing.T) {
	t.Parallel()
	one := []channel.Group{{ID: "Y2F", Subject: "S", CreatedAt: at}}
	for name, test := range map[string]struct {
		body, after, next string
		want              []channel.Group
	}{
		"section 3.2": {`{"data":{"groups":[{"id":"Y2F","subject":"S","created_at":"1739321024"}]},
			"paging":{"cursors":{"before":"b","after":"n"},"next":"https://graph.facebook.com/x"}}`, "", "n", one},
		"a plain list":        {`{"data":[{"id":"Y2F","subject":"S","created_at":1739321024}]}`, "", "", one},
		"a time written out":  {`{"data":{"groups":[{"id":"Y2F","subject":"S","created_at":"2025-02-12T00:43:44+0000"}]}}`, "", "", one},
		"the last page":       {`{"data":{"groups":[]},"paging":{"cursors":{"after":"n"}}}`, "", "", []channel.Group{}},
		"a cursor in the URL": {`{"data":{"groups":[]},"paging":{"next":"https://graph.facebook.com/x?limit=1&after=n%3D"}}`, "", "n=", []channel.Group{}},
		"a page without end":  {`{"data":{"groups":[]},"paging":{"cursors":{"after":"n"},"next":"x"}}`, "n", "", []channel.Group{}},
	} {
		c, a, calls := answering(t, 200, test.body)
		groups, next, err := c.ListGroups(t.Context(), a, test.after)
		require.NoError(t, err, name)
		require.Equal(t, test.want, groups, name)
		require.Equal(t, test.next, next, name)
		got := <-calls
		require.Equal(t, test.after, got.query.Get("after"))
		require.Equal(t, groupPage, got.query.Get("limit"))
	}
	for _, body := range []string{`{}`, `{"data":7}`, `{"data":{"groups":{}}}`, `[]`, ``} {
		c, a, _ := answering(t, 200, body)
		_, _, err := c.ListGroups(t.Context(), a, "")
		var e *channel.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, channel.Unavailable, e.Fault, body)
	}
}

func TestReadGroupAnswers(t *testing.T) {
	t.Parallel()
	want := channel.Group{ID: "Y2F", Subject: "S", Description: "D", Suspended: true, CreatedAt: at,
		Members: []string{"886912345678", "TW.1349"}}
	for _, body := range []string{
		`{"messaging_product":"whatsapp","id":"Y2F","subject":"S","description":"D","suspended":true,"creation_timestamp":1739321024,
			"total_participant_count":2,"participants":[{"wa_id":"886912345678"},{"user_id":"TW.1349"}],"join_approval_mode":"auto_approve"}`,
		`{"subject":"S","description":"D","suspended":"true","creation_timestamp":"1739321024",
			"total_participant_count":"2","participants":[{"wa_id":886912345678},{"user_id":"TW.1349"},{}]}`,
	} {
		c, a, calls := answering(t, 200, body)
		g, err := c.ReadGroup(t.Context(), a, "Y2F")
		require.NoError(t, err)
		require.Equal(t, want, g)
		require.Contains(t, (<-calls).query.Get("fields"), "description")
	}
}

func TestJoinRequestPages(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":  `{"data":[{"join_request_id":"1","wa_id":"886912345678","creation_timestamp":"1"}],"paging":{"cursors":{"after":"n"},"next":"x"}}`,
		"n": `{"data":[{"join_request_id":2,"user_id":"TW.1"}],"paging":{"cursors":{"after":"m"}}}`,
	}
	p := channeltest.Answering(t, made, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("after")])
	})
	list, err := p.(*Client).JoinRequests(t.Context(), channel.Account{ExternalID: phoneID, Secrets: channel.Secrets{Token: "t"}}, "Y2F")
	require.NoError(t, err)
	require.Equal(t, []channel.JoinRequest{{ID: "1", User: "886912345678"}, {ID: "2", User: "TW.1"}}, list)
}

// Section 3.3: some approved, some not, some not spoken of.
func TestJoinDecisions(t *testing.T) {
	t.Parallel()
	partly := `"approved_join_requests":["1"],"failed_join_requests":[{"join_request_id":"2","errors":[{"code":131203,
		"message":"(#131203) x","title":"y","error_data":{"details":"z"}}]},{"join_request_id":"3"}],`
	for _, body := range []string{
		`{"messaging_product":"whatsapp",` + partly + `"errors":[{"code":131201},{"code":"131207"}]}`,
		`{` + partly + `"errors":[{"code":131207}],"error":{"code":131201}}`,
	} {
		c, a, _ := answering(t, 206, body)
		failed, err := c.DecideJoinRequests(t.Context(), a, "Y2F", []string{"1", "2", "3", "4"}, true)
		require.NoError(t, err)
		require.Len(t, failed, 3)
		require.Equal(t, omniflow.GroupTermsOutdated, failed["2"].Reason)
		require.Equal(t, omniflow.GroupSuspended, failed["3"].Reason)
		require.Equal(t, channel.Ambiguous, failed["4"].Fault)
	}
	c, a, _ := answering(t, 400, `{"error":{"code":131213}}`)
	_, err := c.DecideJoinRequests(t.Context(), a, "Y2F", []string{"1"}, false)
	var e *channel.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, omniflow.GroupJoinRequestGone, e.Reason)
}

// Nothing but a read is repeated, however often the client may.
func TestChangesAreMadeOnce(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 100)
	p := channeltest.Answering(t, func(baseURL string, _ *channel.HTTPClient) channel.Provider {
		return New(baseURL, channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true, FirstPause: time.Millisecond}))
	}, func(w http.ResponseWriter, r *http.Request) {
		calls <- r.Method
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c, a := p.(*Client), channel.Account{ExternalID: phoneID, Secrets: channel.Secrets{Token: "t"}}
	_, create := c.CreateGroup(t.Context(), a, channel.GroupSpec{Subject: "S"})
	_, remove := c.RemoveMember(t.Context(), a, "Y2F", "886912345678")
	_, reset := c.InviteLink(t.Context(), a, "Y2F", true)
	_, read := c.InviteLink(t.Context(), a, "Y2F", false)
	for err, want := range map[error]channel.Fault{create: channel.Ambiguous, remove: channel.Ambiguous, reset: channel.Ambiguous, read: channel.Unavailable} {
		var e *channel.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want, e.Fault)
	}
	var methods []string
	for range len(calls) {
		methods = append(methods, <-calls)
	}
	require.Equal(t, "POST DELETE POST GET GET GET", strings.Join(methods, " "))
}
