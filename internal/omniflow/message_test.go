package omniflow

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// messageStates lists every state, in the order of a message's life.
var messageStates = [...]MessageState{Queued, Sending, Unknown, Sent, Received, Read, Failed, Skipped, Cancelled}

func TestMergeOfEveryPair(t *testing.T) {
	t.Parallel()
	// Rows: the state; columns: what the evidence Sent, Received, Read, Failed makes of it.
	want := map[MessageState][4]MessageState{
		Queued:    {Sent, Received, Read, Queued}, // late failure of an attempt that was given back
		Sending:   {Sent, Received, Read, Failed},
		Unknown:   {Sent, Received, Read, Failed},
		Sent:      {Sent, Received, Read, Failed},
		Received:  {Received, Received, Read, Received}, // D-MSG-3
		Read:      {Read, Read, Read, Read},
		Failed:    {Failed, Received, Read, Failed},
		Skipped:   {Skipped, Skipped, Skipped, Skipped},
		Cancelled: {Sent, Received, Read, Cancelled},
	}
	evidence := [...]Evidence{Sent, Received, Read, Failed}
	rows := 0
	for _, s := range messageStates {
		for i, e := range evidence {
			next, changed := Merge(s, e)
			require.Equal(t, want[s][i], next, "%s + %s", s, e)
			require.Equal(t, next != s, changed, "%s + %s", s, e)
			if changed {
				rows++
				require.Contains(t, Merges(), [3]MessageState{s, e, next})
			}
		}
		for _, e := range []Evidence{Queued, Sending, Unknown, Skipped, Cancelled} {
			next, changed := Merge(s, e)
			require.Equal(t, s, next, "%s is no evidence", e)
			require.False(t, changed)
		}
	}
	require.Len(t, Merges(), rows)
}

func TestMergeIsMonotone(t *testing.T) {
	t.Parallel()
	for _, s := range messageStates {
		for _, a := range []Evidence{Sent, Received, Read, Failed} {
			once, _ := Merge(s, a)
			again, changed := Merge(once, a)
			require.Equal(t, once, again, "a repeated webhook changes nothing: %s + %s", s, a)
			require.False(t, changed)
			for _, b := range []Evidence{Sent, Received, Read} {
				ab, _ := Merge(once, b)
				other, _ := Merge(s, b)
				ba, _ := Merge(other, a)
				if a != Failed {
					require.Equal(t, ab, ba, "webhooks out of order: %s + %s, %s", s, a, b)
				}
			}
		}
	}
}

func TestMessageExamples(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		s    MessageState
		e    Evidence
		want MessageState
	}{
		{"EX-065 a failure webhook after sent", Sent, Failed, Failed},
		{"EX-066 LINE: the customer answers a sent message", Sent, Read, Read},
		{"EX-066 LINE: the customer answers a received message", Received, Read, Read},
		{"EX-067 Webchat: the widget is opened", Sent, Read, Read},
		{"D-MSG-3 received never fails", Received, Failed, Received},
		{"D-MSG-3 read never fails", Read, Failed, Read},
		{"MSG-01 an earlier webhook after a later one", Read, Received, Read},
		{"a webhook before the provider's answer", Sending, Received, Received},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, _ := Merge(test.s, test.e)
			require.Equal(t, test.want, got)
		})
	}
}

func TestMessageStateSets(t *testing.T) {
	t.Parallel()
	for _, s := range messageStates {
		require.Equal(t, s == Failed, s.ResendAllowed(), s)
		require.Equal(t, s == Sent || s == Received || s == Read, s.Delivered(), s)
		require.Equal(t, s != Queued && s != Sending && s != Unknown, s.Settled(), s)
	}
}
