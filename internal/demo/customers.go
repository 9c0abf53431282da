package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"omniflow/internal/truth"
)

// The channels of the demo in the order of its tables, with their shares of
// the customers in percent.
var shares = [...]struct {
	channel string
	percent int
}{{"whatsapp", 44}, {"line", 35}, {"facebook", 12}, {"instagram", 9}}

// Of 1,000 good rows, so many more are spoilt on purpose.
const (
	badPerMille       = 8
	duplicatePerMille = 6
)

// book is what the generator knows about the file it wrote.
type book struct {
	good, bad, duplicates int
	people                map[string]truth.Person // by customer_id, duplicates too
}

// rows is how many rows the file has below its header.
func (b book) rows() int { return b.good + b.bad + b.duplicates }

// counts is how many good customers each channel has.
func (b book) counts() map[string]int { return split(b.good) }

// split divides n customers among the channels; WhatsApp takes what is left.
func split(n int) map[string]int {
	counts, left := map[string]int{}, n
	for _, s := range shares[1:] {
		counts[s.channel] = n * s.percent / 100
		left -= counts[s.channel]
	}
	counts[shares[0].channel] = left
	return counts
}

// header is that of the console's customer export.
var header = [...]string{"customer_id", "name", "country", "phone", "email", "channel", "channel_user_id", "last_message_at", "store", "Tags"}

// generate writes a customer file with exactly n good rows, and the faults that
// such files have: a byte-order mark, phone numbers in every habit of their
// country, duplicates, rows that cannot be used, quotes and commas. The same
// seed and time give the same file.
func generate(w io.Writer, n int, seed uint64, now time.Time) (book, error) {
	g := &generator{
		rng: rand.New(rand.NewPCG(seed, 1)), now: now.UTC().Truncate(time.Second),
		seen: map[string]bool{}, book: book{people: map[string]truth.Person{}},
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return book{}, fmt.Errorf("write customers: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := append([][]string{header[:]}, g.all(n)...)
	if err := out.WriteAll(rows); err != nil {
		return book{}, fmt.Errorf("write customers: %w", err)
	}
	return g.book, nil
}

// generator makes rows; everything random comes from rng.
type generator struct {
	rng    *rand.Rand
	now    time.Time
	seen   map[string]bool // recipients given out
	book   book
	next   int // number of the next customer
	line   int // of the row made last
	recent [][]string
}

// all mixes the good rows with the spoilt ones.
func (g *generator) all(n int) [][]string {
	var plan []string
	for _, s := range shares {
		for range split(n)[s.channel] {
			plan = append(plan, s.channel)
		}
	}
	for range (n*badPerMille + 999) / 1000 {
		plan = append(plan, "bad")
	}
	for range (n*duplicatePerMille + 999) / 1000 {
		plan = append(plan, "duplicate")
	}
	g.rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	rows := make([][]string, 0, len(plan))
	g.line = 1
	for _, what := range plan {
		g.line++
		switch {
		case what == "bad":
			rows = append(rows, g.badRow())
		case what == "duplicate" && len(g.recent) > 0:
			rows = append(rows, g.duplicateRow())
		case what == "duplicate": // nothing to repeat yet
			rows = append(rows, g.badRow())
		default:
			rows = append(rows, g.goodRow(what))
		}
	}
	return rows
}

// goodRow makes a customer whom the import takes.
func (g *generator) goodRow(channel string) []string {
	row := g.blank(channel)
	p := truth.Person{Channel: channel, Line: g.line}
	if channel == "whatsapp" {
		row[2], row[3], p.Recipient = g.phone()
	} else {
		row[6] = g.userID(channel)
		p.Recipient = row[6]
		if g.chance(35) {
			row[2], row[3], _ = g.phone()
		}
	}
	g.book.good++
	g.book.people[row[0]] = p
	if g.recent = append(g.recent, row); len(g.recent) > 200 {
		g.recent = g.recent[1:]
	}
	return row
}

// blank is a row with everything but the ways to reach the customer.
func (g *generator) blank(channel string) []string {
	g.next++
	id := fmt.Sprintf("D%05d", g.next)
	row := []string{id, g.name(), "", "", "", channel, "", g.lastMessage(), pick(g, stores[:]), g.tags()}
	if g.chance(30) {
		row[4] = strings.ToLower(id) + "@example.com"
	}
	return row
}

// badRow makes a row that no import can use.
func (g *generator) badRow() []string {
	g.book.bad++
	row := g.blank("whatsapp")
	switch g.rng.IntN(10) {
	case 0:
		row[2], row[3] = "TW", "12345"
	case 1:
		row[2], row[3] = "TW", "0912-345-67"
	case 2:
		row[2], row[3] = "SG", "+65 1234"
	case 3:
		row[2], row[3] = "HK", ""
	case 4:
		row[2], row[3] = "TW", "not given"
	case 5:
		row[5] = pick(g, []string{"facebook", "instagram", "line"}) // without a user id
	case 6:
		row[2], row[3], row[5] = "TW", "0912345678", "telegram"
	case 7:
		row[2], row[3] = "TW", "02-2345-6789" // no mobile
	case 8:
		row[2], row[3] = "TW", "+1 212 555 0100 ext 5"
	case 9:
		row[5], row[6], row[7] = "line", g.userID("line"), "yesterday"
	}
	return row
}

// duplicateRow repeats a customer: the whole row, or the same way to reach
// somebody under a new customer_id.
func (g *generator) duplicateRow() []string {
	g.book.duplicates++
	row := append([]string(nil), pick(g, g.recent)...)
	known := g.book.people[row[0]]
	if g.chance(70) {
		fresh := g.blank(row[5])
		row[0], row[1], row[7] = fresh[0], fresh[1], fresh[7]
		g.book.people[row[0]] = known
	}
	if row[5] == "whatsapp" {
		row[3] = "+" + known.Recipient // written differently, the same number
	}
	return row
}

// lastMessage is when the customer wrote: within a day for seven in eight, so
// that messages may be sent; longer ago than a day or a week for the others.
func (g *generator) lastMessage() string {
	ago := time.Duration(g.rng.Int64N(int64(22 * time.Hour)))
	switch draw := g.rng.IntN(100); {
	case draw < 5:
		ago = 8*24*time.Hour + time.Duration(g.rng.Int64N(int64(50*24*time.Hour)))
	case draw < 12:
		ago = 25*time.Hour + time.Duration(g.rng.Int64N(int64(5*24*time.Hour)))
	}
	at := g.now.Add(-ago)
	if g.chance(50) {
		return at.Format("2006-01-02T15:04:05Z")
	}
	return at.Format("2006-01-02T15:04:05+00:00")
}

// userID makes an id that nobody else has, in the channel's form.
func (g *generator) userID(channel string) string {
	for {
		id := ""
		switch channel {
		case "line":
			id = fmt.Sprintf("U%016x%016x", g.rng.Uint64(), g.rng.Uint64())
		case "facebook":
			id = strconv.FormatInt(1e15+g.rng.Int64N(8e15), 10)
		default:
			id = strconv.FormatInt(1e16+g.rng.Int64N(8e16), 10)
		}
		if g.first(id) {
			return id
		}
	}
}

// first says whether nobody had the recipient before, and takes it.
func (g *generator) first(recipient string) bool {
	if g.seen[recipient] {
		return false
	}
	g.seen[recipient] = true
	return true
}

func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.rng.IntN(len(list))] }
