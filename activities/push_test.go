package activities_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
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
