package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func sign(secret string, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{SignatureHeader: {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body := []byte(`{"text":"\u597d","url":"https:\/\/x"}`) // whatsapp.md section 4.2: escaped as Meta does
	account := func(secret string) channel.Account {
		return channel.Account{Secrets: channel.Secrets{AppSecret: secret}}
	}
	require.NoError(t, Verify(account("s"), sign("s", body), body))

	decoded := []byte(`{"text":"好","url":"https://x"}`)
	refused := map[string]error{
		"the body encoded anew":    Verify(account("s"), sign("s", body), decoded),
		"no secret, empty key":     Verify(account(""), sign("", body), body),
		"an empty signature":       Verify(account("s"), http.Header{SignatureHeader: {"sha256="}}, body),
		"no hexadecimal":           Verify(account("s"), http.Header{SignatureHeader: {"sha256=zz"}}, body),
		"the older SHA-1 only":     Verify(account("s"), http.Header{"X-Hub-Signature": sign("s", body)[SignatureHeader]}, body),
		"without the scheme":       Verify(account("s"), http.Header{SignatureHeader: {sign("s", body).Get(SignatureHeader)[7:]}}, body),
		"half of it":               Verify(account("s"), http.Header{SignatureHeader: {sign("s", body).Get(SignatureHeader)[:39]}}, body),
		"signed by someone else's": Verify(account("s"), sign("t", body), body),
	}
	for name, err := range refused {
		var refusal *omniflow.Refusal
		require.ErrorAs(t, err, &refusal, name)
		require.Equal(t, omniflow.SignatureInvalid, refusal.Code, name)
	}
}
