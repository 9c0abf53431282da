package keyring_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
)

func TestRingOpensWhatAnyOfItsKeysSealed(t *testing.T) {
	t.Parallel()
	old, fresh := keyring.NewKey("k1"), keyring.NewKey("k2")
	before, err := keyring.Parse(old)
	require.NoError(t, err)
	after, err := keyring.Parse(fresh + ", " + old)
	require.NoError(t, err)

	sealed := before.Seal([]byte("secret"), []byte("account 1"))
	require.True(t, bytes.HasPrefix(sealed, []byte("k1:")))
	require.NotContains(t, string(sealed), "secret")
	plain, err := after.Open(sealed, []byte("account 1"))
	require.NoError(t, err)
	require.Equal(t, "secret", string(plain))
	require.Equal(t, "k2", after.KeyID())

	_, err = before.Open(after.Seal([]byte("new"), nil), nil)
	require.ErrorIs(t, err, keyring.ErrOpen, "the old ring lacks the new key")
}

func TestRingRefusesWhatWasChanged(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Parse(keyring.NewKey("k1"))
	require.NoError(t, err)
	sealed := ring.Seal([]byte("secret"), []byte("a"))
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, row := range map[string]struct{ sealed, associated []byte }{
		"other associated data": {sealed, []byte("b")},
		"a flipped bit":         {flipped, []byte("a")},
		"truncated":             {sealed[:8], []byte("a")},
		"no key id":             {[]byte("nothing"), []byte("a")},
		"empty":                 {nil, []byte("a")},
	} {
		_, err := ring.Open(row.sealed, row.associated)
		require.ErrorIs(t, err, keyring.ErrOpen, name)
	}
	require.NotEqual(t, ring.Seal([]byte("x"), nil), ring.Seal([]byte("x"), nil), "a nonce is never repeated")
}

func TestParseNamesEveryFaultAndNoSecret(t *testing.T) {
	t.Parallel()
	short := base64.StdEncoding.EncodeToString([]byte("topsecret"))
	_, err := keyring.Parse(strings.Join([]string{"nocolon", "bad id:" + short, "k1:***", "k2:" + short, keyring.NewKey("k3"), keyring.NewKey("k3")}, ","))
	require.Error(t, err)
	for _, part := range []string{"key 1", "key 2", "key 3", "key 4", "key 6", "used twice", "want at least 32"} {
		require.ErrorContains(t, err, part)
	}
	require.NotContains(t, err.Error(), short)

	long := "k1:" + base64.StdEncoding.EncodeToString(make([]byte, 33))
	_, err = keyring.Parse(long)
	require.ErrorContains(t, err, "33 bytes, want 32")
	_, err = keyring.ParseTokens(long)
	require.NoError(t, err, "a token key may be longer")
	_, err = keyring.Parse("")
	require.ErrorContains(t, err, "want id:base64")
}

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	old, fresh := keyring.NewKey("k1"), keyring.NewKey("k2")
	before, err := keyring.ParseTokens(old)
	require.NoError(t, err)
	after, err := keyring.ParseTokens(fresh + "," + old)
	require.NoError(t, err)

	want := keyring.Claims{Scope: keyring.ScopeMember, TeamID: uuid.New(), MemberID: uuid.New(), ExpiresAt: now.Add(time.Hour)}
	token, err := before.Sign(want)
	require.NoError(t, err)
	got, err := after.Verify(token, now)
	require.NoError(t, err)
	got.ExpiresAt = got.ExpiresAt.UTC()
	require.Equal(t, want, got)

	_, err = after.Verify(token, now.Add(2*time.Hour))
	require.ErrorIs(t, err, keyring.ErrToken, "expired")
	signed, err := after.Sign(keyring.Claims{Scope: keyring.ScopePlatform, ExpiresAt: now.Add(time.Hour)})
	require.NoError(t, err)
	_, err = before.Verify(signed, now)
	require.ErrorIs(t, err, keyring.ErrToken, "signed by a key the old ring lacks")
	got, err = after.Verify(signed, now)
	require.NoError(t, err)
	require.Equal(t, keyring.ScopePlatform, got.Scope)

	unsigned := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"scope": "platform", "exp": now.Add(time.Hour).Unix()})
	unsigned.Header["kid"] = "k1"
	none, err := unsigned.SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	strange, err := after.Sign(keyring.Claims{Scope: "root", ExpiresAt: now.Add(time.Hour)})
	require.NoError(t, err)
	for name, token := range map[string]string{"algorithm none": none, "unknown scope": strange, "garbage": "a.b.c", "empty": ""} {
		_, err := after.Verify(token, now)
		require.ErrorIs(t, err, keyring.ErrToken, name)
	}
}
