package instagram

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
)

func made(baseURL string, client *channel.HTTPClient) channel.Provider { return New(baseURL, client) }

// catalogue is section 5 of instagram.md, by class.
var catalogue = []channeltest.Codes{
	{Section: "5 U", Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Reason: omniflow.OutcomeUnknown,
		Codes: "1 2 2/5"},
	{Section: "5 R", Fault: channel.Unavailable, Scope: channel.ScopeMessage, Reason: omniflow.ProviderDown,
		Codes: "100/2018008"},
	{Section: "5 T", Fault: channel.Throttled, Scope: channel.ScopeAccount, Reason: omniflow.ProviderThrottled,
		Codes: "4 17 32 613 613/2534040 613/5 80002"},
	{Section: "5 X window", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.WindowClosed,
		Codes: "10/2534022 10/2018278"},
	{Section: "5 X person", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.Unreachable,
		Codes: "100/2534014 100/2018001 551 551/1545041 200/1545041"},
	{Section: "5 X topic", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.OptedOut,
		Codes: "10/1893015"},
	{Section: "5 X", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ProviderRejected,
		Codes: "100 100/2534015 100/2534025 100/2534037 100/2534068 2534068 100/2018047 100/2018109 100/2018294 " +
			"10900 10903 9000001 100/5 777"},
	{Section: "5 A", Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped,
		Codes: "10 10/2534077 100/33 100/2534013 100/2534029 190 190/458 190/459 190/460 190/463 190/467 200 230 " +
			"200/2534041 368 10303 36103 2534122 10/2534122"},
}

func TestCodes(t *testing.T) {
	t.Parallel()
	channeltest.Covered(t, rules, catalogue)
	channeltest.GraphCodes(t, made, catalogue, func(code string) string { return code })
}
