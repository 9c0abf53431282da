package simulator

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkSend measures the handler without the network: one WhatsApp text to
// a new person, ledger and webhook queue included.
func BenchmarkSend(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	err := s.AddAccounts(Account{Channel: WhatsApp, ExternalID: "1", Token: "t", Unlimited: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := `{"messaging_product":"whatsapp","to":"+8869` + strconv.Itoa(10_000_000+i) +
			`","type":"text","text":{"body":"hello"},"biz_opaque_callback_data":"m1.` + strconv.Itoa(i) + `.1"}`
		r := httptest.NewRequest(http.MethodPost, "/whatsapp/v25.0/1/messages", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}
