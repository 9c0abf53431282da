package truth

import (
	"fmt"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// Comparison holds our ledger against what the providers really delivered.
// Every figure counts recipients, but duplicates count messages.
type Comparison struct {
	Recipients, Sent, Failed, Skipped, Unknown, Cancelled int // by our ledger; sent includes received and read
	Unsettled                                             int // queued or sending: no final state
	Delivered                                             int // by the providers, to our recipients

	Duplicates int // deliveries beyond the first of the same content to the same person
	Missing    int // customers of the audience without a row in the ledger
	Claimed    int // we say sent, nothing was delivered
	Unclaimed  int // delivered, though we say failed, skipped, cancelled or unknown
	Strangers  int // delivered to somebody outside the audience

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

// Person is where a customer is reached.
type Person struct {
	Channel   string
	Recipient string // as the provider names it: digits of the number, or a user id
	Line      int    // of the customer file, where the header is line 1; 0 if there is no file
}

// Compare joins our rows with the deliveries through the customers' ids: row to
// customer, customer to recipient. people are all who should have a row.
func Compare(people map[string]Person, rows []apiclient.Recipient, deliveries []simulator.Delivery) Comparison {
	var c Comparison
	delivered := c.take(deliveries)
	waiting := map[address]string{} // everybody who should have a row
	for id, p := range people {
		waiting[address{p.Channel, p.Recipient}] = id
	}
	for _, row := range rows {
		p, known := people[row.CustomerID]
		if !known {
			c.wrong(row.CustomerID, "in the broadcast but not in the customer file")
		}
		at := address{p.Channel, p.Recipient}
		delete(waiting, at)
		c.judge(row, delivered[at])
		if delivered[at] {
			c.Delivered++
		}
		delete(delivered, at)
	}
	for _, id := range waiting {
		c.Missing++
		c.wrong(id, "in the customer file but not in the broadcast")
	}
	c.Strangers = len(delivered)
	for at := range delivered {
		c.wrong(at.channel, "a delivery to nobody of the broadcast")
	}
	return c
}

// take counts duplicates and gives whom the providers reached.
func (c *Comparison) take(deliveries []simulator.Delivery) map[address]bool {
	type message struct {
		address
		content string
	}
	seen, delivered := map[message]bool{}, map[address]bool{}
	for _, d := range deliveries {
		if !d.Delivered {
			continue
		}
		m := message{address{string(d.Channel), d.Recipient}, d.ContentSHA256}
		if seen[m] {
			c.Duplicates++
			c.wrong(string(d.Channel), "message delivered twice, provider id "+d.ProviderID)
		}
		seen[m], delivered[m.address] = true, true
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
		c.wrong(row.CustomerID, fmt.Sprintf("%s on %s, but never delivered", row.State, row.Channel))
	case !state.Delivered() && delivered:
		c.Unclaimed++
		c.wrong(row.CustomerID, fmt.Sprintf("%s (%s) on %s, but delivered", row.State, row.Code, row.Channel))
	}
}
