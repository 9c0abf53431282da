package facebook

import (
	"testing"

	"omniflow/internal/channel"
	"omniflow/internal/channel/channeltest"
	"omniflow/internal/omniflow"
)

func made(baseURL string, client *channel.HTTPClient) channel.Provider { return New(baseURL, client) }

// catalogue is section 5 of messenger.md, by class.
var catalogue = []channeltest.Codes{
	{Section: "5 U", Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Reason: omniflow.OutcomeUnknown,
		Codes: "1 99 1/1357046 2"},
	{Section: "5 U family", Fault: channel.Ambiguous, Scope: channel.ScopeMessage, Reason: omniflow.OutcomeUnknown,
		Codes: "1/5 2/5"},
	{Section: "5 R", Fault: channel.Unavailable, Scope: channel.ScopeMessage, Reason: omniflow.ProviderDown,
		Codes: "1200 2018321 100/2018321 100/2018008"},
	{Section: "5 T", Fault: channel.Throttled, Scope: channel.ScopeAccount, Reason: omniflow.ProviderThrottled,
		Codes: "4 4/2018022 17 32 341 613 613/1893016 613/2534040 80001 80002 80006"},
	{Section: "5 T family", Fault: channel.Throttled, Scope: channel.ScopeAccount, Reason: omniflow.ProviderThrottled,
		Codes: "4/5 613/5 80004"},
	{Section: "5 T person", Fault: channel.Throttled, Scope: channel.ScopeMessage, Reason: omniflow.ProviderThrottled,
		Codes: "4/2018354"},
	{Section: "5 X window", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.WindowClosed,
		Codes: "10/2018278 10/2534022 10/2018065"},
	{Section: "5 X person", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.Unreachable,
		Codes: "10/2018108 100/2018001 100/2534014 200/1545041 551 551/1545041"},
	{Section: "5 X topic", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.OptedOut,
		Codes: "10/1893015"},
	{Section: "5 X", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ProviderRejected,
		Codes: "613/2018338 9/2018352 100 100/2018047 100/2018109 100/2018294 100/2018074 100/2018014 100/2018164 " +
			"100/2018320 100/2018328 2018300 10/2018300 9000001"},
	{Section: "5 X family", Fault: channel.Rejected, Scope: channel.ScopeMessage, Reason: omniflow.ProviderRejected,
		Codes: "10/5 100/5 200/5 777"},
	{Section: "5 A", Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped,
		Codes: "2/2018344 368 10 10/1893063 10/1404170 10/2018336 10/2534077 100/33 102 190 190/458 190/459 190/460 " +
			"190/463 190/464 190/467 200 230 299 200/2018021 200/2018027 200/2018028 2022 36103 10303"},
	{Section: "5 A family", Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Reason: omniflow.AccountStopped,
		Codes: "190/5 368/5 102/5"},
}

func TestCodes(t *testing.T) {
	t.Parallel()
	channeltest.Covered(t, rules, catalogue)
	channeltest.GraphCodes(t, made, catalogue, func(code string) string { return code })
}
