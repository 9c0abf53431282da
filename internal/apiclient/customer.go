package apiclient

import (
	"context"
	"net/http"
	"net/url"
)

// ImportOptions say what becomes of imported customers.
type ImportOptions struct {
	FollowerID string // their conversations are handling, followed by this member; "": pending_human
	// Accounts by channel; optional where the team has one account of the channel.
	Accounts map[string]string
}

// ImportReport is what an import did with every row. Lines are those of the
// file, the header is line 1.
type ImportReport struct {
	Rows       int           `json:"rows"`
	Imported   int           `json:"imported"`
	Updated    int           `json:"updated"`
	Duplicates []ImportFault `json:"duplicates"`
	Rejected   []ImportFault `json:"rejected"`
	Warnings   []ImportFault `json:"warnings"`
}

// ImportFault is one row that was left out, or taken with a remark.
type ImportFault struct {
	Line   int    `json:"line"`
	OfLine int    `json:"of_line,omitempty"` // duplicates: the row that was kept
	Reason string `json:"reason"`
	Column string `json:"column,omitempty"`
}

// ImportCustomers sends a CSV file, 64 MiB at most. All good rows are stored,
// or none; the same customers again are updated.
func (c *Client) ImportCustomers(ctx context.Context, teamID string, csv []byte, o ImportOptions) (ImportReport, error) {
	q := url.Values{}
	set(q, "follower_id", o.FollowerID)
	for channel, account := range o.Accounts {
		set(q, channel+"_account", account)
	}
	var report ImportReport
	err := c.do(ctx, request{method: http.MethodPost, path: teamPath(teamID, "/imports"), query: q,
		contentType: "text/csv; charset=utf-8", body: csv, out: &report})
	return report, err
}
