package simulator

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

// post is one webhook POST, the same bytes at every attempt; LINE alone marks
// the later ones as redelivered.
type post struct {
	batch   []event // until it is encoded
	body    []byte
	events  int
	attempt int
	since   time.Time
	done    chan struct{} // closed after the first attempt
}

func newWebhookClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 4*senders
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// deliver makes one attempt, and queues the next one if it fails.
func (q *queue) deliver(p *post) {
	defer q.server.wg.Done()
	q.mu.Lock()
	to, cfg := q.to, q.cfg
	q.mu.Unlock()
	if p.body == nil {
		p.body, p.batch = encode(to, p.batch), nil
	}
	ok := q.send(to, cfg, p)
	<-q.slots
	if p.done != nil {
		close(p.done)
		p.done = nil
	}
	q.settle(to, cfg, p, ok)
}

func (q *queue) settle(to Account, cfg Webhooks, p *post, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case ok:
		q.counts.Sent += p.events
		q.counts.Posts++
		q.counts.Pending -= p.events
	case !cfg.Retry || time.Since(p.since) > giveUp:
		q.counts.Dropped += p.events
		q.counts.Pending -= p.events
		q.server.log.Warn("webhook given up", "channel", to.Channel, "attempt", p.attempt)
	default:
		if to.Channel == LINE {
			p.body = bytes.ReplaceAll(p.body, []byte(`"isRedelivery":false`), []byte(`"isRedelivery":true`))
		}
		q.counts.Retried++
		heap.Push(&q.waiting, &parcel{due: time.Now().Add(backoff(p.attempt)), post: p})
		p.attempt++
		q.nudge()
	}
}

// backoff is 0.2 s after the first attempt, then 1, 2, 4, 8, 16, and 30 s from
// then on.
func backoff(attempt int) time.Duration {
	switch {
	case attempt == 0:
		return 200 * time.Millisecond
	case attempt > 5:
		return maxBackoff
	}
	return time.Second << (attempt - 1)
}

// send posts the body and says whether it was acknowledged.
func (q *queue) send(to Account, cfg Webhooks, p *post) bool {
	ctx, cancel := context.WithTimeout(q.server.ctx, ackTimeout(to.Channel, cfg))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.WebhookURL, bytes.NewReader(p.body))
	if err != nil {
		return false // the URL is wrong; another may be set before the next attempt
	}
	req.Header.Set("Content-Type", "application/json")
	if to.Channel == LINE {
		req.Header.Set("User-Agent", "LineBotWebhook/2.0")
		req.Header.Set("X-Line-Signature", signLINE(to.Secret, p.body))
	} else {
		req.Header.Set("User-Agent", "facebookexternalua")
		req.Header.Set("X-Hub-Signature-256", signMeta(to.Secret, p.body))
	}
	res, err := q.server.client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection can be used again
	_ = res.Body.Close()
	if to.Channel == LINE {
		return res.StatusCode/100 == 2
	}
	return res.StatusCode == http.StatusOK
}

func ackTimeout(c Channel, cfg Webhooks) time.Duration {
	switch {
	case cfg.TimeoutMS > 0:
		return time.Duration(cfg.TimeoutMS) * time.Millisecond
	case c == LINE:
		return 2 * time.Second
	case c == WhatsApp:
		return 20 * time.Second
	}
	return 5 * time.Second
}

// signMeta is the value of X-Hub-Signature-256.
func signMeta(secret string, body []byte) string {
	return "sha256=" + hex.EncodeToString(sum(secret, body))
}

// signLINE is the value of X-Line-Signature.
func signLINE(secret string, body []byte) string {
	return base64.StdEncoding.EncodeToString(sum(secret, body))
}

func sum(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}
