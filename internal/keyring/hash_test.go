package keyring

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHashStandsForATextUnderItsKey(t *testing.T) {
	t.Parallel()
	key, other := NewKey("a"), NewKey("a")
	ring, err := Parse(key)
	require.NoError(t, err)
	same, err := Parse(key + "," + NewKey("b"))
	require.NoError(t, err)
	foreign, err := Parse(other)
	require.NoError(t, err)
	hash := ring.Hash("886912345678")
	require.Regexp(t, `^[0-9a-f]{32}$`, hash)
	require.Equal(t, hash, same.Hash("886912345678"))
	require.NotEqual(t, hash, ring.Hash("886912345679"))
	require.NotEqual(t, hash, foreign.Hash("886912345678"), "without the key nobody can try numbers")
}
