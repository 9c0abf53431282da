package simulator

import (
	"fmt"
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

// BenchmarkMulticast measures 500 recipients a call, new ones every time.
func BenchmarkMulticast(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	err := s.AddAccounts(Account{Channel: LINE, ExternalID: "U" + strings.Repeat("a", 32), Token: "t", Unlimited: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	ids := make([]string, 500)
	for i := 0; b.Loop(); i++ {
		for n := range ids {
			ids[n] = fmt.Sprintf("U%032x", i*500+n)
		}
		body := `{"to":["` + strings.Join(ids, `","`) + `"],"messages":[{"type":"text","text":"hello"}]}`
		r := httptest.NewRequest(http.MethodPost, "/line/v2/bot/message/multicast", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
	b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "recipients/s")
}
