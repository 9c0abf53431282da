package customercsv

import (
	"time"

	"omniflow/internal/omniflow"
)

// Row is one customer on one channel, checked and normalised.
type Row struct {
	Line          int    // in the file, of the row's first character; the header is line 1
	CustomerID    string // never empty
	Name          string // "" where the file has none, or says N/A
	Country       string // ISO 3166-1 alpha-2, upper case, or ""
	Phone         string // E.164 with +, or ""; never "" on WhatsApp, where it is a mobile number
	Email         string
	Channel       omniflow.Channel // one of omniflow.BroadcastChannels
	ChannelUserID string           // WhatsApp: the digits of Phone
	LastMessageAt *time.Time       // UTC; nil: never wrote
	Store         string
	Tags          []string // in the order of the cell, each once
}

// Issue is one thing that is wrong with one row. It names the cell and never
// repeats it (SYS-12).
type Issue struct {
	Line   int           `json:"line"`
	OfLine int           `json:"of_line,omitempty"` // a duplicate: the row that was kept
	Column string        `json:"column,omitempty"`  // in lower case; "" for the whole row
	Reason omniflow.Code `json:"reason"`
	Weight Weight        `json:"-"`
}

// Weight is what an issue does to its row.
type Weight string

// The weights. A warning keeps the row, without the cell it is about.
const (
	Rejected  Weight = "rejected"
	Duplicate Weight = "duplicate"
	Warning   Weight = "warning"
)
