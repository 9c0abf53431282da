package whatsapp

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
)

func made(baseURL string, client *channel.HTTPClient) channel.Provider { return New(baseURL, client) }

// catalogue is section 5.6 and 3.7 of whatsapp.md, by class.
var catalogue = []channeltest.Codes{
	{Section: "5.6 R", Fault: channel.Throttled, Scope: channel.ScopeAccount, Reason: omniflow.ProviderThrottled,
		Codes: "4 80007 80008 130429 131057 2494100"},
	{Section: "3.7 131208", Fault: channel.Throttled, Scope: channel.ScopeMessage, Reason: omniflow.ProviderThrottled,
		Codes: "131208"},
	{Section: "5.2 pair", Fault: channel.Throttled, Scope: channel.ScopeMessage, Reason: omniflow.ProviderThrottled,
		Codes: "131056"},
	{Section: "5.6 R 10 min", Fault: channel.Throttled, Scope: channel.ScopeTemplate, Reason: omniflow.ProviderThrottled,
		Codes: "134101"},
	{Section: "5.6 A", Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Reason: omniflow.OutcomeUnknown,
		Codes: "1 2 131000 131016 133004"},
	{Section: "5.6 C", Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped,
		Codes: "0 3 10 200 230 299 33 190 190/463 368 131005 131031 131037 131042 131045 131048 131063 131064 " +
			"133000 133005 133006 133008 133009 133010 133015 133016 134011 134102"},
	{Section: "1.2 no access", Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped,
		Codes: "100/33"},
	{Section: "5.6 template", Fault: channel.Misconfigured, Scope: channel.ScopeTemplate, Reason: omniflow.TemplateInvalid,
		Codes: "132001 132068 132069"},
	{Section: "5.4 pausing", Fault: channel.Misconfigured, Scope: channel.ScopeTemplate, Reason: omniflow.TemplatePaused,
		Codes: "132015 132016"},
	{Section: "5.6 T", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ProviderRejected,
		Codes: "100 130472 130497 131008 131009 131009/2494010 131021 131030 131049 131052 131053 131055 131062 " +
			"132007 134100 135000 137000"},
	{Section: "5.6 unknown", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ProviderRejected,
		Codes: "999999"},
	{Section: "5.6 130403", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.CustomerBlocked,
		Codes: "130403"},
	{Section: "5.6 131026", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.Unreachable,
		Codes: "131026"},
	{Section: "6 window", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.WindowClosed,
		Codes: "131047"},
	{Section: "5.4 opt-out", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.OptedOut,
		Codes: "131050"},
	{Section: "5.6 type", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ContentUnsupported,
		Codes: "130501 131051"},
	{Section: "5.6 T template", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.TemplateInvalid,
		Codes: "132000 132005 132008 132012 132018 2388019 2388040 2388047 2388072 2388073 2388293 2388299 100/2388040"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupEmpty, Codes: "131020"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.NotFound, Codes: "131041"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupListCursorExpired, Codes: "131059"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupPartlyDone, Codes: "131201"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupMemberDuplicate, Codes: "131202"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupTermsOutdated, Codes: "131203"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupFull, Codes: "131204"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupSuspended, Codes: "131207"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupPictureInvalid, Codes: "131209 131210"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupLimitReached, Codes: "131211"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupNotMember, Codes: "131212"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupJoinRequestGone, Codes: "131213"},
	{Section: "3.7", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupCreationDisabled, Codes: "131214"},
	{Section: "3.7 131215", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.GroupNotEligible, Codes: "131215"},
}

func TestCodes(t *testing.T) {
	t.Parallel()
	channeltest.Covered(t, rules, catalogue)
	channeltest.GraphCodes(t, made, catalogue, func(code string) string {
		name, _, _ := strings.Cut(code, "/") // branch on the code only: section 0.9
		return name
	})
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		code int
		wait time.Duration
	}{
		"section 5.6 130429 half a second to one": {130429, time.Second},
		"section 5.2 pair, second step of 4^X":    {131056, 4 * time.Second},
		"section 5.6 app limit":                   {4, time.Minute},
		"section 5.6 throughput upgrade":          {131057, 10 * time.Second},
	} {
		require.Equal(t, row.wait, table.Rule(row.code, 0).RetryAfter, name)
	}
}

// A failed status is final, so that nothing in it is ambiguous.
func TestFailureIsNeverAmbiguous(t *testing.T) {
	t.Parallel()
	for _, code := range []int{1, 2, 131000, 131016, 133004, 0, 131026, 424242} {
		require.NotEqual(t, channel.Ambiguous, failure(code).Fault, code)
	}
	require.Equal(t, channel.Rejected, failure(131000).Fault)
	require.Equal(t, channel.Misconfigured, failure(131048).Fault)
}
