package temporalclient_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"omniflow/internal/keyring"
	"omniflow/internal/temporalclient"
)

func ring(t *testing.T, keys ...string) *keyring.Ring {
	t.Helper()
	r, err := keyring.Parse(strings.Join(keys, ","))
	require.NoError(t, err)
	return r
}

func TestCodecEncryptsOnceAndSurvivesRotation(t *testing.T) {
	t.Parallel()
	old, fresh := keyring.NewKey("k1"), keyring.NewKey("k2")
	before := temporalclient.NewCodec(ring(t, old))
	after := temporalclient.NewCodec(ring(t, fresh, old))
	plain, err := converter.GetDefaultDataConverter().ToPayload("secret text")
	require.NoError(t, err)

	sealed, err := before.Encode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.NotContains(t, sealed[0].String(), "secret text")
	require.Equal(t, "binary/encrypted", string(sealed[0].Metadata[converter.MetadataEncoding]))
	require.Equal(t, "k1", string(sealed[0].Metadata["encryption-key-id"]))

	twice, err := after.Encode(sealed)
	require.NoError(t, err)
	require.Equal(t, sealed, twice, "what is encrypted stays as it is")

	opened, err := after.Decode(sealed)
	require.NoError(t, err)
	require.Equal(t, plain.Data, opened[0].Data)
	require.Equal(t, plain.Metadata, opened[0].Metadata)
	untouched, err := after.Decode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.Equal(t, []*commonpb.Payload{plain}, untouched, "a payload from before encryption is still read")

	stranger := temporalclient.NewCodec(ring(t, keyring.NewKey("k1")))
	_, err = stranger.Decode(sealed)
	require.ErrorIs(t, err, keyring.ErrOpen)
	sealed[0].Data[0] ^= 1
	_, err = before.Decode(sealed)
	require.ErrorIs(t, err, keyring.ErrOpen)
}

func TestCodecHandlerAnswersAllowedOriginsOnly(t *testing.T) {
	t.Parallel()
	h := temporalclient.CodecHandler(temporalclient.NewCodec(ring(t, keyring.NewKey("k1"))), []string{"http://ui"})
	for origin, allowed := range map[string]string{"http://ui": "http://ui", "http://evil": ""} {
		r := httptest.NewRequest(http.MethodOptions, "/codec/decode", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, http.StatusNoContent, w.Code)
		require.Equal(t, allowed, w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Origin", w.Header().Get("Vary"))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/codec/decode", strings.NewReader("nonsense")))
	require.Equal(t, http.StatusBadRequest, w.Code)
}
