package simulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// holdLimit bounds how long an answer waits for a webhook that is to overtake it.
const holdLimit = 2 * time.Second

// reply is an answer before a fault spoils it.
type reply struct {
	status int
	body   []byte
	header [][2]string

	fault   Fault           // how it is spoilt; "" is not at all
	latency time.Duration   // before anything is written
	hang    time.Duration   // of LostHang
	hold    <-chan struct{} // wait for this, but no longer than holdLimit
}

// verdict is what decides about a request before its content does.
type verdict struct {
	fault   Fault
	victim  int    // the index of the recipient that the fault is aimed at
	refused *reply // the answer, when there is nothing more to decide
}

// gate counts a request and decides what does not depend on its content: rate
// limit, stop code, and the faults that take nothing. It runs under a.mu.
func (a *account) gate(endpoint string, recipients []string) verdict {
	a.counts.requests++
	if !a.arrive(endpoint) {
		return a.refuse(a.throttled())
	}
	if code := a.faults.cfg.StopCode; code != 0 {
		a.counts.fault("stop_code")
		rep := a.stopped(code)
		rep.latency = a.faults.latency()
		return verdict{refused: &rep}
	}
	fault, victim := a.faults.pick(recipients)
	switch fault {
	case Throttle:
		a.counts.fault(fault)
		return a.refuse(a.throttled())
	case Unavailable:
		a.counts.fault(fault)
		rep := a.unavailable()
		rep.latency = a.faults.latency()
		return verdict{refused: &rep}
	case Refuse:
		a.counts.fault(fault)
		return verdict{refused: &reply{fault: fault}}
	}
	return verdict{fault: fault, victim: victim}
}

func (a *account) refuse(rep reply) verdict {
	a.counts.refusedThrottle++
	rep.latency = a.faults.latency()
	return verdict{refused: &rep}
}

// arrive passes a request through the sliding window of its endpoint.
func (a *account) arrive(endpoint string) bool {
	return a.window(endpoint).arrive(a.clock())
}

func (a *account) window(endpoint string) *slidingWindow {
	w := a.windows[endpoint]
	if w == nil {
		w = newSlidingWindow(a.limit(endpoint))
		a.windows[endpoint] = w
	}
	return w
}

// spoil applies the fault of a request that was taken to its answer.
func (a *account) spoil(rep reply, fault Fault) reply {
	rep.latency = a.faults.latency()
	switch fault {
	case Lost500:
		down := a.unavailable()
		rep.status, rep.body, rep.header = down.status, down.body, down.header
	case LostReset, Truncated:
		rep.fault = fault
	case LostHang:
		rep.fault, rep.hang = fault, a.faults.hang()
	default:
		return rep
	}
	a.counts.fault(fault)
	a.counts.lostResponses++
	return rep
}

// write sends a reply, spoilt as its fault says.
func (s *Server) write(w http.ResponseWriter, r *http.Request, rep reply) {
	wait := rep.latency
	if rep.fault == LostHang {
		wait += rep.hang
	}
	if !s.pause(r, wait) || !s.held(r, rep.hold) {
		cut(w)
		return
	}
	switch rep.fault {
	case Refuse, LostReset:
		cut(w)
		return
	case Truncated:
		rep.body = rep.body[:len(rep.body)/2]
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(rep.body)))
	for _, kv := range rep.header {
		h.Set(kv[0], kv[1])
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body) // the client may have gone; nothing to be done
}

// pause waits d, or returns false when the client or the server goes first.
func (s *Server) pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
	return false
}

func (s *Server) held(r *http.Request, hold <-chan struct{}) bool {
	if hold == nil {
		return true
	}
	t := time.NewTimer(holdLimit)
	defer t.Stop()
	select {
	case <-hold:
	case <-t.C:
	case <-r.Context().Done():
		return false
	case <-s.ctx.Done():
		return false
	}
	return true
}

// cut ends the connection with a reset and without a byte of answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's way to drop the connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset instead of an orderly end, where it can be had
	}
	_ = conn.Close()
}
