package apiclient

import (
	"net/url"
	"strconv"
)

// Page says which part of a list to show. The zero value is the first 50.
type Page struct {
	Limit int    // 1 to 200; 0 is 50
	After string // the Next of the page before
}

func (p Page) query() url.Values {
	q := url.Values{}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	set(q, "after", p.After)
	return q
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// List is one page. Next is empty on the last one.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}
