package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// replyTokenLife is how long a reply token can be used.
const replyTokenLife = time.Minute

type replyToken struct {
	user string
	made time.Time
}

// rememberToken keeps a reply token, and forgets those that are too old to use.
func (a *account) rememberToken(token string, t replyToken) {
	for len(a.tokenOrder) > 0 {
		old, ok := a.replyTokens[a.tokenOrder[0]]
		if ok && t.made.Sub(old.made) <= replyTokenLife {
			break
		}
		delete(a.replyTokens, a.tokenOrder[0])
		a.tokenOrder = a.tokenOrder[1:]
	}
	a.replyTokens[token] = t
	a.tokenOrder = append(a.tokenOrder, token)
}

// lineSentMessage is one entry of sentMessages.
type lineSentMessage struct {
	ID         string `json:"id"`
	QuoteToken string `json:"quoteToken,omitempty"`
}

type lineSent struct {
	Sent []lineSentMessage `json:"sentMessages"`
}

// takeLINE decides about one request. It runs under the account's lock from
// beginning to end, so a second call with a key in flight waits for the first.
func (a *account) takeLINE(endpoint, key string, q *lineRequest, invalid *lineError) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.replyTokens[q.ReplyToken]; ok && endpoint == endpointReply {
		q.to = []string{t.user}
	}
	v := a.gate(endpoint, q.to)
	if v.refused != nil {
		return *v.refused
	}
	if key != "" {
		if endpoint == endpointReply {
			return a.lineRefuse(lineFail(http.StatusBadRequest, retryKeyNotHere))
		}
		if !validRetryKey(key) {
			return a.lineRefuse(lineFail(http.StatusBadRequest, retryKeyMalformed))
		}
		if won, ok := a.keys.find(endpoint, key, a.clock()); ok {
			a.counts.repeatedKeys++
			return a.spoil(won.conflict(), v.fault)
		}
	}
	if invalid != nil {
		return a.lineRefuse(lineReply(http.StatusBadRequest, *invalid))
	}
	if refused := a.lineRecipients(endpoint, q, v); refused != nil {
		return a.lineRefuse(*refused)
	}
	return a.takeLINEChecked(endpoint, key, q, v.fault)
}

func (a *account) lineRefuse(rep reply) reply {
	rep.latency = a.faults.latency()
	return rep
}

// lineRecipients is the refusal of a request that not all recipients can get.
func (a *account) lineRecipients(endpoint string, q *lineRequest, v verdict) *reply {
	var rep reply
	switch endpoint {
	case endpointReply:
		t, ok := a.replyTokens[q.ReplyToken]
		if ok && a.clock().Sub(t.made) <= replyTokenLife && v.fault != Permanent {
			return nil
		}
		rep = lineFail(http.StatusBadRequest, "Invalid reply token")
	case endpointPush:
		if validLINEUser(q.to[0]) && !a.lineStranger(q.to[0]) && v.fault != Permanent {
			return nil
		}
		rep = lineFail(http.StatusBadRequest, lineFailed) // also a group: this account is in none
	default:
		at := a.lineStrangerAt(q, v)
		if at < 0 {
			return nil
		}
		rep = lineReply(http.StatusBadRequest, *invalidProperty(fmt.Sprintf("to[%d]", at)))
	}
	if v.fault == Permanent {
		a.counts.fault(v.fault)
	}
	return &rep
}

// lineStrangerAt is the index of the recipient for whom a multicast is refused, or -1.
func (a *account) lineStrangerAt(q *lineRequest, v verdict) int {
	if v.fault == Permanent {
		return v.victim
	}
	if a.cfg.MulticastDropsUnknown {
		return -1
	}
	for i, id := range q.to {
		if a.lineStranger(id) {
			return i
		}
	}
	return -1
}

// lineStranger says whether the channel has never heard of the user.
func (a *account) lineStranger(id string) bool {
	state := a.stateOf(a.person(id))
	return state == UserUnknown || state == UserNotWhatsApp
}

// takeLINEChecked takes a request if the monthly quota has room for all of it.
func (a *account) takeLINEChecked(endpoint, key string, q *lineRequest, fault Fault) reply {
	reached := 0
	for _, id := range q.to {
		if a.stateOf(a.person(id)) == UserOK {
			reached++
		}
	}
	if endpoint != endpointReply {
		if a.cfg.Quota > 0 && a.quotaUsed+reached > a.cfg.Quota {
			return a.lineRefuse(lineFail(http.StatusTooManyRequests, lineQuotaOver))
		}
		a.quotaUsed += reached
	} else {
		delete(a.replyTokens, q.ReplyToken) // single use
	}
	sent := q.sent()
	rep := lineReply(http.StatusOK, struct{}{})
	if endpoint != endpointMulticast {
		rep = lineReply(http.StatusOK, lineSent{sent})
	}
	if key != "" {
		won := acceptedKey{at: a.clock(), requestID: rep.header[0][1]}
		if endpoint == endpointPush {
			won.sent = sent
		}
		a.keys.add(endpoint, key, won)
	}
	for _, id := range q.to {
		a.enter(record{recipient: id, key: key, id: sent[0].ID, hash: q.hash, fault: fault,
			delivered: a.stateOf(a.person(id)) == UserOK})
	}
	return a.spoil(rep, fault)
}

// sent makes an id for every object of the request.
func (q *lineRequest) sent() []lineSentMessage {
	list := make([]lineSentMessage, len(q.objects))
	for i, o := range q.objects {
		list[i].ID = newLINEMessageID()
		if o.quotable() {
			list[i].QuoteToken = noise(32)
		}
	}
	return list
}
