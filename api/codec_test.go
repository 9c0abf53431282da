package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const uiOrigin = "http://127.0.0.1:8233"

func TestCodecDecodesForThoseWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "supervisor")
	plain := `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"InNlY3JldCI="}]}`
	encoded := w.do("POST", "/codec/encode", w.platform, plain)
	require.Equal(t, 200, encoded.Status)
	require.NotContains(t, string(encoded.Body), "InNlY3JldCI=")

	decoded := w.do("POST", "/codec/decode", c.admin, encoded.Body, "Origin", uiOrigin, "X-Namespace", "default")
	require.Equal(t, 200, decoded.Status)
	require.Contains(t, string(decoded.Body), "InNlY3JldCI=")
	require.Equal(t, uiOrigin, decoded.Header.Get("Access-Control-Allow-Origin"))
	w.do("POST", "/codec/decode", c.token["supervisor"], encoded.Body).problem(403, "permission_denied")
	w.do("POST", "/codec/decode", "", encoded.Body, "Origin", uiOrigin).problem(401, "unauthenticated")

	asked := w.do("OPTIONS", "/codec/decode", "", nil, "Origin", uiOrigin, "Access-Control-Request-Headers", "x-namespace")
	require.Equal(t, http.StatusNoContent, asked.Status)
	require.True(t, strings.Contains(asked.Header.Get("Access-Control-Allow-Headers"), "X-Namespace"))
	require.Empty(t, w.do("OPTIONS", "/codec/decode", "", nil, "Origin", "https://evil.example").Header.Get("Access-Control-Allow-Origin"))

	w.s.codecOpen = true // a local stack
	require.Equal(t, 200, w.do("POST", "/codec/decode", "", encoded.Body, "Origin", uiOrigin).Status)
	w.do("POST", "/codec/decode", "", encoded.Body, "Origin", "https://evil.example").problem(401, "unauthenticated")
	w.do("POST", "/codec/decode", "", encoded.Body).problem(401, "unauthenticated")
}
