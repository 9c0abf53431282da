package channeltest

import "testing"

// Run runs the suite. Each test makes a fresh Harness.
func Run(t *testing.T, fresh func(*testing.T) *Harness) {
	tests := []struct {
		name string
		run  func(*testing.T, *Harness)
	}{
		{"delivers once what was written", deliversOnce},
		{"never mixes keys of concurrent sends", keepsKeysApart},
		{"sends nothing when the context is over", cancelledBefore},
		{"sends nothing without a connection", dialRefused},
		{"sends nothing without a token", withoutToken},
		{"refuses what the provider would", refusesContent},
		{"sends files by the provider's handle or by link", sendsFiles},
		{"uploads a file that can be uploaded again", uploads},
		{"refuses a file that nobody can fetch", refusesFiles},
		{"sends a caption with its file or refuses it", captions},
		{"reads a throttle answer", throttled},
		{"reads a 5xx as ambiguous", serverError},
		{"reads a cut connection as ambiguous", connectionCut},
		{"reads every lost answer as ambiguous", lostAnswers},
		{"repeats by itself only what is safe", repeats},
		{"reads a permanent error of one recipient", permanent},
		{"reads an unknown recipient", unknownRecipient},
		{"reads a stop code", stopped},
		{"reads a wrong token", wrongToken},
		{"reads a closed window", windowClosed},
		{"lets a person answer after the window", humanAgent},
		{"verifies signatures", signatures},
		{"refuses foreign bodies", foreignBodies},
		{"reads its webhooks about a message", messageWebhooks},
		{"reads its webhook about a failure", failureWebhook},
		{"reads what customers write", inboundWebhooks},
		{"tells the kinds of received messages apart", inboundKinds},
		{"makes no message of what is taken back", inboundOther},
		{"reads which message a customer answers", inboundQuotes},
		{"reads a message of any time", inboundTimes},
		{"names a message alike however often it comes", inboundRepeats},
		{"reads 10 MB of text", longText},
		{"quotes where that is possible", sendsQuotes},
		{"fetches a customer's file", fetchesFiles},
		{"fetches later what is not ready", fetchesLater},
		{"gives up a file that is gone", fetchesNoMore},
		{"follows no link that leads elsewhere", fetchesNothingElse},
		{"fetches with the account's token", fetchesWithToken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, fresh(t))
		})
	}
}
