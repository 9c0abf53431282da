package line

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func sign(secret string, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{SignatureHeader: {base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

// An account without a secret accepts nothing, not even what was signed with
// the empty key.
func TestVerify(t *testing.T) {
	t.Parallel()
	body, c := hook(), &Client{}
	account := channel.Account{Secrets: channel.Secrets{AppSecret: "s"}}
	require.NoError(t, c.Verify(account, sign("s", body), body))
	for name, err := range map[string]error{
		"no secret":       c.Verify(channel.Account{}, sign("", body), body),
		"another secret":  c.Verify(account, sign("t", body), body),
		"not base64":      c.Verify(account, http.Header{SignatureHeader: {"%"}}, body),
		"empty signature": c.Verify(account, http.Header{SignatureHeader: {""}}, body),
	} {
		var refusal *omniflow.Refusal
		require.ErrorAs(t, err, &refusal, name)
		require.Equal(t, omniflow.SignatureInvalid, refusal.Code, name)
	}
}
