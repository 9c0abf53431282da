package channel

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkDo compares a call with a bare one over the same pool.
func BenchmarkDo(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte(`{"message_id":"m_1"}`))
	}))
	defer s.Close()
	c := NewHTTPClient(HTTPOptions{LoopbackOnly: true})
	defer c.CloseIdleConnections()
	body := []byte(`{"recipient":{"id":"700"},"message":{"text":"hello"}}`)
	b.Run("call", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.Do(b.Context(), Call{URL: s.URL, Token: "t", Body: body}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		bare := &http.Client{Transport: c.base}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				resp, err := bare.Post(s.URL, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	})
}
