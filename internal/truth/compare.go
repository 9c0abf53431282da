package truth

import (
	"cmp"
	"fmt"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// Comparison holds our ledger against what the providers really delivered.
// Every figure counts rows of the ledger, one a recipient and message, but
// duplicates and strangers count deliveries.
type Comparison struct {
	Recipients, Sent, Failed, Skipped, Unknown, Cancelled int // by our ledger; sent includes received and read
	Unsettled                                             int // queued or sending: no final state
	Delivered                                             int // by the providers, to our recipients

	Duplicates int // deliveries beyond the first of the same content to the same person
	Missing    int // rows that a customer of the audience should have, and has not
	Claimed    int // we say sent, nothing was delivered
	Unclaimed  int // delivered, though we say failed, skipped, cancelled or unknown
	Strangers  int // contents delivered to somebody who has no row for them
	Disordered int // delivered before the message ahead of it to the same person, or without it

	Examples []string // customer ids with what is wrong, at most 10
}

// Lost are the recipients that were forgotten: no final state, no row, or a
// claim without a delivery.
func (c Comparison) Lost() int { return c.Unsettled + c.Missing + c.Claimed }

// Accounted says whether every recipient is in exactly one final state.
func (c Comparison) Accounted() bool {
	return c.Recipients == c.Sent+c.Failed+c.Skipped+c.Unknown+c.Cancelled
}

// wrong notes an example; a customer id is the file's own and no personal data.
func (c *Comparison) wrong(customer, what string) {
	if len(c.Examples) < 10 {
		c.Examples = append(c.Examples, customer+": "+what)
	}
}

// address is one person at one channel.
type address struct{ channel, recipient string }

// message is what one row sends: a content to a person.
type message struct {
	address
	content string // its hash; "" is any
}

// Person is where a customer is reached.
type Person struct {
	Channel   string
	Recipient string // as the provider names it: digits of the number, or a user id
	Line      int    // of the customer file, where the header is line 1; 0 if there is no file
}

// Compare judges a broadcast of one message: see [CompareContents], which takes
// any content for the one.
func Compare(people map[string]Person, rows []apiclient.Recipient, deliveries []simulator.Delivery) Comparison {
	return CompareContents(people, rows, deliveries, nil)
}

// CompareContents joins our rows with the deliveries through the customers'
// ids, row to customer and customer to recipient, and through the ordinals of
// the rows, which say what of contents each of them sends. people are all who
// should have a row for each content of their channel.
func CompareContents(people map[string]Person, rows []apiclient.Recipient, deliveries []simulator.Delivery, contents Contents) Comparison {
	var c Comparison
	delivered := c.take(deliveries, contents)
	waiting := map[message]string{} // every row that should be
	for id, p := range people {
		for n := range contents.parts(p.Channel) {
			waiting[contents.message(p, n+1)] = id
		}
	}
	at := map[message]time.Time{}
	for _, row := range rows {
		p, known := people[row.CustomerID]
		if !known {
			c.wrong(row.CustomerID, "in the broadcast but not in the customer file")
		}
		m := contents.message(p, row.Ordinal)
		delete(waiting, m)
		when, reached := delivered[m]
		c.judge(row, reached)
		if reached {
			c.Delivered++
			at[m] = when
		}
		delete(delivered, m)
	}
	for _, id := range waiting {
		c.Missing++
		c.wrong(id, "in the customer file but not in the broadcast")
	}
	c.Strangers = len(delivered)
	for m := range delivered {
		c.wrong(m.channel, "a delivery to nobody of the broadcast")
	}
	c.order(people, at, contents)
	return c
}

// order counts what was delivered before the message that goes ahead of it.
func (c *Comparison) order(people map[string]Person, at map[message]time.Time, contents Contents) {
	judged := map[address]bool{} // a person may be two customers
	for id, p := range people {
		to := address{p.Channel, p.Recipient}
		for n := 2; n <= contents.parts(p.Channel) && !judged[to]; n++ {
			second, delivered := at[contents.message(p, n)]
			first, before := at[contents.message(p, n-1)]
			if delivered && (!before || second.Before(first)) {
				c.Disordered++
				c.wrong(id, fmt.Sprintf("message %d on %s was not preceded by the one ahead of it", n, p.Channel))
			}
		}
		judged[to] = true
	}
}

// take counts duplicates and gives when the providers first delivered what to whom.
func (c *Comparison) take(deliveries []simulator.Delivery, contents Contents) map[message]time.Time {
	seen, delivered := map[message]bool{}, map[message]time.Time{}
	for _, d := range deliveries {
		if !d.Delivered {
			continue
		}
		m := message{address{string(d.Channel), d.Recipient}, d.ContentSHA256}
		if seen[m] {
			c.Duplicates++
			c.wrong(string(d.Channel), "message delivered twice, provider id "+d.ProviderID)
		}
		seen[m] = true
		if contents == nil {
			m.content = ""
		}
		if first, again := delivered[m]; !again || d.At.Before(first) {
			delivered[m] = d.At
		}
	}
	return delivered
}

// judge counts one row and says where it differs from the truth.
func (c *Comparison) judge(row apiclient.Recipient, delivered bool) {
	c.Recipients++
	state := omniflow.MessageState(row.State)
	switch {
	case state.Delivered():
		c.Sent++
	case state == omniflow.Failed:
		c.Failed++
	case state == omniflow.Skipped:
		c.Skipped++
	case state == omniflow.Unknown:
		c.Unknown++
	case state == omniflow.Cancelled:
		c.Cancelled++
	default:
		c.Unsettled++
		c.wrong(row.CustomerID, fmt.Sprintf("still %s", row.State))
		return
	}
	switch {
	case state.Delivered() && !delivered:
		c.Claimed++
		c.wrong(row.CustomerID, fmt.Sprintf("message %d %s on %s, but never delivered", cmp.Or(row.Ordinal, 1), row.State, row.Channel))
	case !state.Delivered() && delivered:
		c.Unclaimed++
		c.wrong(row.CustomerID, fmt.Sprintf("message %d %s (%s) on %s, but delivered", cmp.Or(row.Ordinal, 1), row.State, row.Code, row.Channel))
	}
}
