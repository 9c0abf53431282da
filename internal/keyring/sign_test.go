package keyring

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSign(t *testing.T) {
	t.Parallel()
	old, err := Parse(NewKey("k1"))
	require.NoError(t, err)
	newer := NewKey("k2")
	ring, err := Parse(newer)
	require.NoError(t, err)
	signature := old.Sign("media 1")
	require.True(t, strings.HasPrefix(signature, "k1."))
	require.True(t, old.Signed("media 1", signature))
	require.Equal(t, signature, old.Sign("media 1"), "the same address every time")
	require.False(t, ring.Signed("media 1", signature), "another ring")
	for _, bad := range []string{"", "k1", "k1.", "k1.%%", signature[:len(signature)-2], "k9" + signature[2:]} {
		require.False(t, old.Signed("media 1", bad), bad)
	}
	require.False(t, old.Signed("media 2", signature))
}

func TestSignaturesOutliveARotation(t *testing.T) {
	t.Parallel()
	first, second := NewKey("k1"), NewKey("k2")
	old, err := Parse(first)
	require.NoError(t, err)
	rotated, err := Parse(second + "," + first)
	require.NoError(t, err)
	require.True(t, rotated.Signed("x", old.Sign("x")))
	require.True(t, strings.HasPrefix(rotated.Sign("x"), "k2."))
}
