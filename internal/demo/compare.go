package main

import (
	"fmt"

	"omniflow/internal/apiclient"
	"omniflow/internal/omniflow"
	"omniflow/internal/simulator"
)

// comparison holds our ledger against what the providers really delivered.
// Every figure counts recipients, but duplicates count messages.
type comparison struct {
	recipients, sent, failed, skipped, unknown, cancelled int // by our ledger; sent includes received and read
	unsettled                                             int // queued or sending: no final state
	delivered                                             int // by the providers, to our recipients

	duplicates int // deliveries beyond the first of the same content to the same person
	missing    int // customers of the audience without a row in the ledger
	claimed    int // we say sent, nothing was delivered
	unclaimed  int // delivered, though we say failed, skipped, cancelled or unknown
	strangers  int // delivered to somebody outside the audience

	examples []string // customer ids with what is wrong, at most 10
}

// lost are the recipients that were forgotten: no final state, no row, or a
// claim without a delivery.
func (c comparison) lost() int { return c.unsettled + c.missing + c.claimed }

// accounted says whether every recipient is in exactly one final state.
func (c comparison) accounted() bool {
	return c.recipients == c.sent+c.failed+c.skipped+c.unknown+c.cancelled
}

// wrong notes an example; a customer id is the file's own and no personal data.
func (c *comparison) wrong(customer, what string) {
	if len(c.examples) < 10 {
		c.examples = append(c.examples, customer+": "+what)
	}
}

// address is one person at one channel.
type address struct{ channel, recipient string }

// compare joins our rows with the deliveries through the customer file: row to
// customer, customer to recipient.
func compare(b book, rows []apiclient.Recipient, truth []simulator.Delivery) comparison {
	var c comparison
	delivered := c.take(truth)
	waiting := map[address]string{} // everybody who should have a row
	for id, p := range b.people {
		waiting[address{p.channel, p.recipient}] = id
	}
	for _, row := range rows {
		p, known := b.people[row.CustomerID]
		if !known {
			c.wrong(row.CustomerID, "in the broadcast but not in the customer file")
		}
		at := address{p.channel, p.recipient}
		delete(waiting, at)
		c.judge(row, delivered[at])
		if delivered[at] {
			c.delivered++
		}
		delete(delivered, at)
	}
	for _, id := range waiting {
		c.missing++
		c.wrong(id, "in the customer file but not in the broadcast")
	}
	c.strangers = len(delivered)
	for at := range delivered {
		c.wrong(at.channel, "a delivery to nobody of the broadcast")
	}
	return c
}

// take counts duplicates and gives whom the providers reached.
func (c *comparison) take(truth []simulator.Delivery) map[address]bool {
	type message struct {
		address
		content string
	}
	seen, delivered := map[message]bool{}, map[address]bool{}
	for _, d := range truth {
		if !d.Delivered {
			continue
		}
		m := message{address{string(d.Channel), d.Recipient}, d.ContentSHA256}
		if seen[m] {
			c.duplicates++
			c.wrong(string(d.Channel), "message delivered twice, provider id "+d.ProviderID)
		}
		seen[m], delivered[m.address] = true, true
	}
	return delivered
}

// judge counts one row and says where it differs from the truth.
func (c *comparison) judge(row apiclient.Recipient, delivered bool) {
	c.recipients++
	state := omniflow.MessageState(row.State)
	switch {
	case state.Delivered():
		c.sent++
	case state == omniflow.Failed:
		c.failed++
	case state == omniflow.Skipped:
		c.skipped++
	case state == omniflow.Unknown:
		c.unknown++
	case state == omniflow.Cancelled:
		c.cancelled++
	default:
		c.unsettled++
		c.wrong(row.CustomerID, fmt.Sprintf("still %s", row.State))
		return
	}
	switch {
	case state.Delivered() && !delivered:
		c.claimed++
		c.wrong(row.CustomerID, fmt.Sprintf("%s on %s, but never delivered", row.State, row.Channel))
	case !state.Delivered() && delivered:
		c.unclaimed++
		c.wrong(row.CustomerID, fmt.Sprintf("%s (%s) on %s, but delivered", row.State, row.Code, row.Channel))
	}
}
