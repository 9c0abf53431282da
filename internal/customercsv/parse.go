package customercsv

import (
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"omniflow/internal/omniflow"
)

// clockSkew is how far in the future a last message may lie.
const clockSkew = 5 * time.Minute

var (
	lineUserID = regexp.MustCompile(`^U[0-9a-f]{32}$`)
	metaUserID = regexp.MustCompile(`^[0-9]{5,32}$`) // Facebook, Instagram
	waUserID   = regexp.MustCompile(`^[0-9]{5,15}$`)
)

// parsing is one record on its way to a Row.
type parsing struct {
	d      *Reader
	record []string
	row    Row
	issues []Issue
}

// parse makes a row of record, and says what is wrong with it. The row is
// good, and its keys are remembered, if no issue rejects it.
func (d *Reader) parse(record []string) (Row, []Issue) {
	line, _ := d.csv.FieldPos(0)
	p := &parsing{d: d, record: record, row: Row{Line: line}}
	if len(record) != d.width {
		p.add(Rejected, "", omniflow.FieldCount)
		return Row{}, p.issues
	}
	p.plainCells()
	p.channel()
	p.country()
	p.phone()
	p.userID()
	p.lastMessage()
	if !rejects(p.issues) {
		p.issues = append(p.issues, d.seen.add(p.row)...)
	}
	return p.row, p.issues
}

func (p *parsing) add(w Weight, column string, reason omniflow.Code) {
	p.issues = append(p.issues, Issue{Line: p.row.Line, Column: column, Reason: reason, Weight: w})
}

// cell is the trimmed cell of a column, "" where the file lacks it. It is a
// copy: the record's own strings share one long one.
func (p *parsing) cell(column string) string {
	i, ok := p.d.columns[column]
	if !ok {
		return ""
	}
	return strings.Clone(strings.TrimSpace(p.record[i]))
}

func (p *parsing) plainCells() {
	p.row.CustomerID = p.cell("customer_id")
	if p.row.CustomerID == "" {
		p.add(Rejected, "customer_id", omniflow.ContactKeyMissing)
	}
	if name := p.cell("name"); !strings.EqualFold(name, "N/A") {
		p.row.Name = name
	}
	p.row.Store = p.cell("store")
	p.row.Tags = parseTags(p.cell("tags"))
	email := p.cell("email")
	if before, after, ok := strings.Cut(email, "@"); ok && before != "" && after != "" && !strings.Contains(after, "@") {
		p.row.Email = email
	} else if email != "" {
		p.add(Warning, "email", omniflow.EmailInvalid)
	}
}

func (p *parsing) channel() {
	p.row.Channel = omniflow.Channel(strings.ToLower(p.cell("channel")))
	if !slices.Contains(omniflow.BroadcastChannels[:], p.row.Channel) {
		p.add(Rejected, "channel", omniflow.ChannelUnknown)
	}
}

func (p *parsing) country() {
	country := strings.ToUpper(p.cell("country"))
	switch {
	case country == "":
	case len(country) == 2 && phonenumbers.GetCountryCodeForRegion(country) != 0:
		p.row.Country = country
	default:
		p.add(Warning, "country", omniflow.CountryInvalid)
	}
}

// phone fills Phone. A number that is no mobile rejects a row of WhatsApp; any
// other row is kept without it.
func (p *parsing) phone() {
	cell := p.cell("phone")
	whatsApp := p.row.Channel == omniflow.WhatsApp
	if id := p.cell("channel_user_id"); cell == "" && whatsApp && waUserID.MatchString(id) {
		cell = "+" + id
	}
	if cell == "" && !whatsApp {
		return
	}
	phone, reason := ParseMobile(cell, p.row.Country)
	switch {
	case reason == "":
		p.row.Phone = phone
	case whatsApp:
		p.add(Rejected, "phone", reason)
	default:
		p.add(Warning, "phone", reason)
	}
}

// userID fills ChannelUserID, after phone.
func (p *parsing) userID() {
	id := p.cell("channel_user_id")
	ok := true
	switch p.row.Channel {
	case omniflow.LINE:
		ok = lineUserID.MatchString(id)
	case omniflow.Facebook, omniflow.Instagram:
		ok = metaUserID.MatchString(id)
	case omniflow.WhatsApp:
		digits := strings.TrimPrefix(p.row.Phone, "+")
		ok = id == "" || digits == "" || id == digits
		id = digits
	}
	if !ok {
		p.add(Rejected, "channel_user_id", omniflow.ChannelUserIDInvalid)
	}
	p.row.ChannelUserID = id
}

func (p *parsing) lastMessage() {
	cell := p.cell("last_message_at")
	if cell == "" {
		return
	}
	at, err := time.Parse(time.RFC3339, cell)
	now := p.d.opts.Now
	if err != nil || (!now.IsZero() && at.After(now.Add(clockSkew))) {
		p.add(Rejected, "last_message_at", omniflow.TimeInvalid)
		return
	}
	at = at.UTC()
	p.row.LastMessageAt = &at
}

// parseTags reads a cell that is itself a line of CSV. One whose quotes make
// no sense is split at its commas. Empty tags are dropped (D-IMP-1).
func parseTags(cell string) []string {
	if cell == "" {
		return nil
	}
	r := csv.NewReader(strings.NewReader(cell))
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		lines = [][]string{strings.Split(cell, ",")}
	}
	var tags []string
	for _, tag := range slices.Concat(lines...) {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}
