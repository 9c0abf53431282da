package sink

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/channel/line"
	"omniflow/internal/channel/whatsapp"
	"omniflow/internal/omniflow"
)

func newSink(t *testing.T) (Client, *channel.HTTPClient) {
	t.Helper()
	server := httptest.NewServer(New())
	t.Cleanup(server.Close)
	http := channel.NewHTTPClient(channel.HTTPOptions{LoopbackOnly: true})
	t.Cleanup(http.CloseIdleConnections)
	return Client{Base: server.URL}, http
}

var hello = []omniflow.Content{{Kind: omniflow.Text, Text: "hello"}}

func TestTheSinkCountsByRecipient(t *testing.T) {
	t.Parallel()
	c, http := newSink(t)
	sender := whatsapp.New(c.Base+"/whatsapp", http)
	account := channel.Account{ExternalID: "1", Secrets: channel.Secrets{Token: "t"}}
	for _, to := range []string{"886900000001", "886900000002", "886900000001"} {
		receipt, err := sender.Send(t.Context(), account, channel.Message{
			Key: channel.Key{MessageID: uuid.New(), Attempt: 1}, Recipient: to, Contents: hello})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(receipt.ProviderID, "wamid."))
	}
	s, err := c.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, [4]int{3, 3, 2, 1}, [4]int{s.Calls, s.Messages, s.Recipients, s.Duplicates()})
	at, err := c.Arrivals(t.Context())
	require.NoError(t, err)
	require.Len(t, at, 3)
	require.NoError(t, c.Reset(t.Context()))
	s, err = c.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, s)
}

func TestAMulticastIsOneCallToMany(t *testing.T) {
	t.Parallel()
	c, http := newSink(t)
	sender := line.New(c.Base+"/line", http)
	account := channel.Account{Secrets: channel.Secrets{Token: "t"}}
	_, err := sender.Multicast(t.Context(), account, uuid.New(), []string{"U1", "U2", "U3"}, hello)
	require.NoError(t, err)
	_, err = sender.Send(t.Context(), account, channel.Message{RetryKey: uuid.New(), Recipient: "U3", Contents: hello})
	require.NoError(t, err)
	s, err := c.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, [3]int{2, 4, 3}, [3]int{s.Calls, s.Messages, s.Recipients})
}

func TestWhatHasNoRecipientIsNotCounted(t *testing.T) {
	t.Parallel()
	s := New()
	for _, path := range []string{"/whatsapp/v25.0/1/messages", "/line/v2/bot/message/push"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{}`)))
		require.Equal(t, http.StatusBadRequest, w.Code)
	}
	require.Zero(t, s.Stats())
}

func TestWaitEndsWhenNothingComes(t *testing.T) {
	t.Parallel()
	c, _ := newSink(t)
	_, err := c.Wait(t.Context(), 1, time.Millisecond)
	require.ErrorContains(t, err, "0 of 1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Wait(ctx, 1, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMostWithinSlides(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(ms ...int) (out []time.Time) {
		for _, m := range ms {
			out = append(out, start.Add(time.Duration(m)*time.Millisecond))
		}
		return out
	}
	require.Zero(t, MostWithin(nil, time.Second))
	require.Equal(t, 3, MostWithin(at(900, 0, 950, 1000, 2500), time.Second), "unsorted, across a second's border")
	require.Equal(t, 1, MostWithin(at(0, 1000, 2000), time.Second), "a whole second apart")
}

func TestAStormRefusesAndCountsEveryCall(t *testing.T) {
	t.Parallel()
	c, http := newSink(t)
	sender := whatsapp.New(c.Base+"/whatsapp", http)
	account := channel.Account{ExternalID: "1", Secrets: channel.Secrets{Token: "t"}}
	message := channel.Message{Key: channel.Key{MessageID: uuid.New(), Attempt: 1}, Recipient: "886900000001", Contents: hello}
	require.NoError(t, c.Storm(t.Context(), time.Hour))
	_, err := sender.Send(t.Context(), account, message)
	var fault *channel.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, channel.Throttled, fault.Fault)
	s, err := c.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, [2]int{0, 1}, [2]int{s.Calls, s.Refused})
	require.NoError(t, c.Storm(t.Context(), 0))
	_, err = sender.Send(t.Context(), account, message)
	require.NoError(t, err)
}
