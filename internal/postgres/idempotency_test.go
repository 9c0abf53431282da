package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOneClaimOfAKeyWins(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	k := RequestKey{TeamID: newID(), ActorID: newID(), Key: "k"}
	claims := make([]RequestClaim, 16)
	errs := make([]error, 16)
	var wait sync.WaitGroup
	for i := range claims {
		wait.Go(func() { claims[i], errs[i] = s.ClaimRequest(t.Context(), k, []byte("f"), time.Minute) })
	}
	wait.Wait()
	mine := 0
	for i, c := range claims {
		require.NoError(t, errs[i])
		if c.Mine {
			mine++
			continue
		}
		require.Equal(t, []byte("f"), c.Fingerprint)
		require.Zero(t, c.Status)
	}
	require.Equal(t, 1, mine)
}

func TestOneTakeoverOfADeadRequestWins(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	k := RequestKey{TeamID: newID(), ActorID: newID(), Key: "k"}
	dead, err := s.ClaimRequest(t.Context(), k, []byte("f"), time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.ReleaseRequest(t.Context(), k, dead.Token))

	claims := make([]RequestClaim, 8)
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range claims {
		wait.Go(func() { claims[i], errs[i] = s.ClaimRequest(t.Context(), k, []byte("f"), time.Minute) })
	}
	wait.Wait()
	var winner *RequestClaim
	for i := range claims {
		require.NoError(t, errs[i])
		if claims[i].Mine {
			require.Nil(t, winner, "two took over")
			winner = &claims[i]
		}
	}
	require.NotNil(t, winner)
	require.Equal(t, dead.ResourceID, winner.ResourceID)

	require.NoError(t, s.FinishRequest(t.Context(), k, dead.Token, 500, []byte("late")))
	require.NoError(t, s.FinishRequest(t.Context(), k, winner.Token, 201, []byte("answer")))
	require.NoError(t, s.ReleaseRequest(t.Context(), k, winner.Token), "an answered key stays answered")
	again, err := s.ClaimRequest(t.Context(), k, []byte("f"), 0)
	require.NoError(t, err)
	require.False(t, again.Mine)
	require.Equal(t, 201, again.Status)
	require.Equal(t, []byte("answer"), again.Response)

	other, err := s.ClaimRequest(t.Context(), RequestKey{TeamID: newID(), ActorID: k.ActorID, Key: "k"}, []byte("g"), time.Minute)
	require.NoError(t, err)
	require.True(t, other.Mine, "another team's key is another key")
}
