package simulator

// counters are the figures of one account since the last Reset.
type counters struct {
	requests, refusedThrottle, pairLimited   int
	accepted, recipients, silentlyDropped    int
	failedLater, lostResponses, repeatedKeys int
	faults                                   map[Fault]int
}

func (c *counters) fault(f Fault) {
	if c.faults == nil {
		c.faults = map[Fault]int{}
	}
	c.faults[f]++
}

// Summary is the account's part of the ground truth in figures.
type Summary struct {
	Channel    Channel `json:"channel"`
	ExternalID string  `json:"external_id"`
	// Requests are the authenticated sends; marking as read does not count.
	Requests int `json:"requests"`
	// Accepted messages were really delivered, one a recipient.
	Accepted   int `json:"accepted"`
	Recipients int `json:"recipients"` // distinct, of those
	// Duplicates are deliveries beyond the first of the same content to the
	// same recipient.
	Duplicates        int        `json:"duplicates"`
	DuplicateExamples []Delivery `json:"duplicate_examples,omitempty"`
	// SilentlyDropped were accepted for people who blocked the account.
	SilentlyDropped int `json:"silently_dropped"`
	// FailedLater were accepted and failed by a status webhook.
	FailedLater int `json:"failed_later"`
	// RefusedThrottle were answered as throttled, by the limit or by a fault.
	RefusedThrottle int `json:"refused_throttle"`
	// PairLimited were refused because one user had too many (WhatsApp).
	PairLimited int `json:"pair_limited"`
	// LimitExceeded were refused because the second was full already.
	LimitExceeded int `json:"limit_exceeded"`
	// MaxInAnySecond and Limit are of the endpoint nearest to its limit.
	MaxInAnySecond int `json:"max_in_any_second"`
	Limit          int `json:"limit"` // rate and burst; 0 is none
	// RepeatedKeys were answered 409 because the retry key was known (LINE).
	RepeatedKeys  int              `json:"repeated_keys"`
	LostResponses int              `json:"lost_responses"`
	QuotaUsed     int              `json:"quota_used"` // LINE, recipients
	Faults        map[Fault]int    `json:"faults,omitempty"`
	Endpoints     map[string]Audit `json:"endpoints"`
	Webhooks      WebhookCounts    `json:"webhooks"`
}

// Audit is how one endpoint's rate limit was used.
type Audit struct {
	Limit          int           `json:"limit"`
	MaxInAnySecond int           `json:"max_in_any_second"`
	LimitExceeded  int           `json:"limit_exceeded"`
	PerSecond      map[int64]int `json:"per_second"` // arrivals by Unix second
}

// Summary returns the figures of every account, in order of registration.
func (s *Server) Summary() []Summary {
	list := make([]Summary, 0)
	for _, a := range s.all() {
		list = append(list, a.summary())
	}
	return list
}

func (a *account) summary() Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.counts
	m := Summary{
		Channel: a.cfg.Channel, ExternalID: a.cfg.ExternalID,
		Requests: c.requests, Accepted: c.accepted, Recipients: c.recipients,
		Duplicates: a.ledger.duplicates, SilentlyDropped: c.silentlyDropped,
		FailedLater: c.failedLater, RefusedThrottle: c.refusedThrottle,
		PairLimited: c.pairLimited, RepeatedKeys: c.repeatedKeys,
		LostResponses: c.lostResponses, QuotaUsed: a.quotaUsed,
		Faults: map[Fault]int{}, Endpoints: map[string]Audit{}, Webhooks: a.queue.figures(),
	}
	for _, rec := range a.ledger.examples {
		m.DuplicateExamples = append(m.DuplicateExamples, a.delivery(rec))
	}
	for f, n := range c.faults {
		m.Faults[f] = n
	}
	a.audit(&m)
	return m
}

// audit fills in the limits: those of each endpoint, and the worst.
func (a *account) audit(m *Summary) {
	worst := -1.0
	for endpoint, w := range a.windows {
		e := Audit{Limit: w.limit, MaxInAnySecond: w.peak, LimitExceeded: w.exceeded, PerSecond: map[int64]int{}}
		for sec, n := range w.perSecond {
			e.PerSecond[sec] = n
		}
		m.Endpoints[endpoint] = e
		m.LimitExceeded += w.exceeded
		if share := float64(w.peak) / float64(max(1, w.limit)); share > worst {
			worst, m.MaxInAnySecond, m.Limit = share, w.peak, w.limit
		}
	}
	if len(a.windows) == 0 {
		m.Limit = a.limit(endpointMessages)
	}
}

// Reset forgets truth, counts, audits and the used quota. Accounts, address
// books, templates, faults, retry keys and waiting webhooks stay.
func (s *Server) Reset() {
	for _, a := range s.all() {
		a.mu.Lock()
		a.ledger, a.counts, a.quotaUsed = ledger{}, counters{}, 0
		a.groups.reset()
		for _, w := range a.windows {
			w.reset()
		}
		for _, p := range a.users {
			p.reached = false
		}
		a.mu.Unlock()
		a.queue.resetFigures()
	}
}
