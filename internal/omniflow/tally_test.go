package omniflow

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTallyCountsEveryState(t *testing.T) {
	t.Parallel()
	var tally Tally
	for i, s := range messageStates {
		tally.Add(s, i+1)
		tally.Planned += i + 1
		require.True(t, tally.Balanced(), s)
	}
	require.Equal(t, Tally{Planned: 45, Queued: 1, Sending: 2, Unknown: 3, Sent: 4, Received: 5, Read: 6, Failed: 7, Skipped: 8, Cancelled: 9}, tally)
	require.Equal(t, 15, tally.Delivered())
	require.Equal(t, 6, tally.Unresolved())
	double := tally
	double.AddAll(tally)
	require.Equal(t, Tally{Planned: 90, Queued: 2, Sending: 4, Unknown: 6, Sent: 8, Received: 10, Read: 12, Failed: 14, Skipped: 16, Cancelled: 18}, double)
	tally.Add("limbo", 1)
	tally.Planned++
	require.False(t, tally.Balanced(), "a row in no state is a lost row")
}

func TestTallyJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Tally{Planned: 1, Unknown: 1})
	require.NoError(t, err)
	require.JSONEq(t, `{"planned":1,"queued":0,"sending":0,"sent":0,"received":0,"read":0,"failed":0,"skipped":0,"cancelled":0,"unknown":1}`, string(b))
}

func TestTallyOutcome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		tally     Tally
		cancelled bool
		want      Outcome
	}{
		{"all sent", Tally{Planned: 3, Sent: 1, Received: 1, Read: 1}, false, Completed},
		{"a skipped one is no failure", Tally{Planned: 3, Sent: 2, Skipped: 1}, false, Completed},
		{"a failed one", Tally{Planned: 3, Sent: 2, Failed: 1}, false, CompletedWithFailures},
		{"an unknown one", Tally{Planned: 3, Sent: 2, Unknown: 1}, false, CompletedWithFailures},
		{"a forgotten one", Tally{Planned: 3, Sent: 2, Queued: 1}, false, CompletedWithFailures},
		{"cancelled", Tally{Planned: 3, Sent: 2, Cancelled: 1}, true, OutcomeCancelled},
		{"one lane cancelled", Tally{Planned: 3, Sent: 2, Cancelled: 1}, false, OutcomeCancelled},
		{"cancelled with a failure", Tally{Planned: 3, Failed: 2, Cancelled: 1}, true, OutcomeCancelled},
		{"cancelled before planning", Tally{}, true, OutcomeCancelled},
		{"nobody", Tally{}, false, OutcomeRejected},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, test.tally.Outcome(test.cancelled))
		})
	}
}

func TestTallyString(t *testing.T) {
	t.Parallel()
	for want, tally := range map[string]Tally{
		"0 of 0 sent": {},
		"41,200 of 50,000 sent, 12 failed, 3 skipped": {Planned: 50000, Sent: 40000, Received: 1000, Read: 200, Failed: 12, Skipped: 3},
		"1,234,567 of 1,234,568 sent, 1 unknown":      {Planned: 1234568, Sent: 1234567, Unknown: 1},
		"999 of 2,000 sent, 1,001 cancelled":          {Planned: 2000, Read: 999, Cancelled: 1001},
	} {
		require.Equal(t, want, tally.String())
	}
	require.Equal(t, "-1,000", grouped(-1000))
	require.Equal(t, "-100", grouped(-100))
}
