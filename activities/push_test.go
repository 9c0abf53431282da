package activities_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
	"omniflow/internal/simulator"
)

// claimPush takes n personal rows of LINE as a process would that dies before
// it records them.
func (s *stage) claimPush(n int) []omniflow.ClaimedMessage {
	s.t.Helper()
	fence, _, err := s.store.TakeSlice(s.t.Context(), s.slice(omniflow.LINE), time.Minute)
	require.NoError(s.t, err)
	claimed, err := s.store.ClaimMessages(s.t.Context(), omniflow.Claim{Slice: s.slice(omniflow.LINE), Fence: fence, Max: n, ActorID: s.Member, Push: true})
	require.NoError(s.t, err)
	require.Len(s.t, claimed.Messages, n)
	return claimed.Messages
}

// push makes the call of a claimed row and forgets the answer.
func (s *stage) push(m omniflow.ClaimedMessage, text string) {
	s.t.Helper()
	account, err := noSecrets{s.Team}.Account(s.t.Context(), s.ID, s.Account["line"])
	require.NoError(s.t, err)
	_, err = s.senders[omniflow.LINE].Send(s.t.Context(), account, channel.Message{
		Key: channel.Key{MessageID: m.ID, Attempt: m.Attempt}, RetryKey: m.RetryKey, Recipient: m.Recipient, Contents: []omniflow.Content{say(text)}})
	require.NoError(s.t, err)
}

// TestEX132NamesAreFrozenAndSent is VAR-01 to VAR-03 and D-VAR-1 on every
// channel: each customer gets the text with the name of the moment of planning.
func TestEX132NamesAreFrozenAndSent(t *testing.T) {
	t.Parallel()
	for _, ch := range omniflow.BroadcastChannels {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers(string(ch), 3)
			s.name(ch, 0, "王小明")
			s.name(ch, 1, "{{system:customer_name}}")
			s.planContents(everybody, say("您好 {{system:customer_name}}! {{system:phone}}"))
			s.name(ch, 0, "改名了")
			require.True(t, s.send(ch).Done)
			require.Equal(t, omniflow.Tally{Planned: 3, Sent: 3}, s.tally(ch))
			for n, want := range []string{"您好 王小明! {{system:phone}}", "您好 {{system:customer_name}}! {{system:phone}}", "您好 ! {{system:phone}}"} {
				require.Equal(t, []string{simulator.TextSHA256(want)}, s.got(ch)[postgrestest.Recipient(string(ch), n)])
			}
		})
	}
}

func TestATextThatANameMakesTooLongFailsThatRowOnly(t *testing.T) {
	t.Parallel()
	for ch, room := range map[omniflow.Channel]int{omniflow.LINE: 4998, omniflow.Instagram: 998, omniflow.WhatsApp: 4094, omniflow.Facebook: 1997} {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers(string(ch), 2)
			s.name(ch, 0, "Alexandra")
			s.name(ch, 1, "Al")
			s.planContents(everybody, say(strings.Repeat("x", room)+omniflow.CustomerName), say("the second"))
			require.True(t, s.send(ch).Done)
			var code string
			s.Scan(&code, `SELECT code FROM messages WHERE recipient = $1 AND ordinal = 1`, postgrestest.Recipient(string(ch), 0))
			require.Equal(t, string(omniflow.MessageTooLong), code)
			require.Len(t, s.got(ch), 1)
			want := omniflow.Tally{Planned: 4, Sent: 2, Failed: 1, Skipped: 1}
			if ch == omniflow.LINE {
				want = omniflow.Tally{Planned: 2, Sent: 1, Failed: 1}
			}
			require.Equal(t, want, s.tally(ch))
		})
	}
}

// pushes counts LINE's requests by endpoint.
func (s *stage) pushes() (push, multicast int) {
	for _, sum := range s.sim.Summary() {
		if sum.Channel == simulator.LINE {
			for _, n := range sum.Endpoints["push"].PerSecond {
				push += n
			}
			for _, n := range sum.Endpoints["multicast"].PerSecond {
				multicast += n
			}
		}
	}
	return push, multicast
}

func TestPersonalTextsGoToLINEByPushAndOthersByMulticast(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Customers("line", 12)
	s.planContents(everybody, say("您好 {{system:customer_name}}"))
	require.True(t, s.send(omniflow.LINE).Done)
	push, multicast := s.pushes()
	require.Equal(t, [2]int{12, 0}, [2]int{push, multicast})
	var keys int
	s.Scan(&keys, `SELECT count(DISTINCT attempt_key) FROM messages`)
	require.Equal(t, 12, keys, "a key of its own for every row")

	s.planContents(everybody, say("您好 {{system:name}}"))
	require.True(t, s.send(omniflow.LINE).Done)
	push, multicast = s.pushes()
	require.Equal(t, [2]int{12, 1}, [2]int{push, multicast}, "an unknown variable is nobody's")
}

// TestAPersonalLINEMessageIsNeverLostOrSentTwice is the promise of multicast
// for calls of one row: the same key goes again after a crash, a lost answer or
// a doubt, and never another one.
func TestAPersonalLINEMessageIsNeverLostOrSentTwice(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{simulator.LostReset, simulator.Lost500, simulator.Truncated, simulator.Unavailable, simulator.Refuse, simulator.Throttle} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers("line", 5)
			s.name(omniflow.LINE, 2, "王小明")
			s.planContents(everybody, say("您好 {{system:customer_name}}"))
			s.fault(omniflow.LINE, simulator.Faults{Next: []simulator.NextFault{{Recipient: postgrestest.Recipient("line", 2), Fault: fault}}})
			require.True(t, s.send(omniflow.LINE).Done)
			require.Equal(t, omniflow.Tally{Planned: 5, Sent: 5}, s.tally(omniflow.LINE))
			for recipient, n := range s.delivered(omniflow.LINE) {
				require.Equal(t, 1, n, recipient)
			}
			require.Len(t, s.delivered(omniflow.LINE), 5)
		})
	}
	for name, taken := range map[string]bool{"a crash before the call": false, "a crash after the call": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.Customers("line", 4)
			s.planContents(everybody, say("您好 {{system:customer_name}}"))
			claimed := s.claimPush(3)
			if taken {
				for _, m := range claimed {
					s.push(m, "您好 ")
				}
			}
			require.True(t, s.send(omniflow.LINE).Done)
			require.Equal(t, omniflow.Tally{Planned: 4, Sent: 4}, s.tally(omniflow.LINE))
			require.Len(t, s.delivered(omniflow.LINE), 4)
			for recipient, n := range s.delivered(omniflow.LINE) {
				require.Equal(t, 1, n, recipient)
			}
			for _, m := range claimed {
				var key uuid.UUID
				s.Scan(&key, `SELECT attempt_key FROM messages WHERE id = $1`, m.ID)
				require.Equal(t, m.RetryKey, key, "the key of the first claim")
			}
		})
	}
}
