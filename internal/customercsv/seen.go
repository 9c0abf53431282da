package customercsv

import "omniflow/internal/omniflow"

// identity is whom a channel knows a customer as.
type identity struct {
	channel omniflow.Channel
	id      string
}

// seen remembers the keys of good rows, with their lines.
type seen struct {
	customers  map[string]int
	identities map[identity]int
}

func newSeen() seen {
	return seen{customers: map[string]int{}, identities: map[identity]int{}}
}

// add remembers a row, unless an earlier one has its customer id or its
// identity: then it gives one issue, which names that row's line.
func (s seen) add(r Row) []Issue {
	if first, ok := s.customers[r.CustomerID]; ok {
		return []Issue{{Line: r.Line, OfLine: first, Column: "customer_id", Reason: omniflow.DuplicateCustomer, Weight: Duplicate}}
	}
	key := identity{r.Channel, r.ChannelUserID}
	if first, ok := s.identities[key]; ok {
		column := "channel_user_id"
		if r.Channel == omniflow.WhatsApp {
			column = "phone"
		}
		return []Issue{{Line: r.Line, OfLine: first, Column: column, Reason: omniflow.DuplicateIdentity, Weight: Duplicate}}
	}
	s.customers[r.CustomerID], s.identities[key] = r.Line, r.Line
	return nil
}
