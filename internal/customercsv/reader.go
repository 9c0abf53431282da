package customercsv

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omniflow/internal/omniflow"
)

// Options are what the reader cannot know by itself.
type Options struct {
	// Now is when the file is read: a last message more than 5 min later is
	// refused. Zero switches that check off.
	Now time.Time
}

// Reader reads one file. It is for one goroutine.
type Reader struct {
	csv     *csv.Reader
	opts    Options
	columns map[string]int // by name in lower case
	width   int
	rows    int
	seen    seen
	pending []Issue // of the header
	fatal   error   // io.EOF, a refusal or an error of the source
}

// columnNames are the columns that are read, the first required of them.
var columnNames = [...]string{
	"customer_id", "channel", "channel_user_id", "phone",
	"name", "country", "email", "last_message_at", "store", "tags",
}

const required = 4

// New reads the header: names in any order and case, after a byte order mark
// or none. A column that nothing reads is an issue of the first Next.
//
// Errors: *omniflow.Refusal csv_invalid or csv_column_missing; an error of r.
func New(r io.Reader, opts Options) (*Reader, error) {
	src := bufio.NewReader(r)
	if mark, _ := src.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = src.Discard(3)
	}
	cr := csv.NewReader(src)
	cr.FieldsPerRecord = -1 // counted here, so that a bad row does not end the file
	cr.ReuseRecord = true
	d := &Reader{csv: cr, opts: opts, seen: newSeen()}
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, omniflow.Refuse(omniflow.CSVInvalid, "IMP-01", "the file is empty")
	}
	if err != nil {
		return nil, fileError(err)
	}
	if refusal := d.checkText(header); refusal != nil {
		return nil, refusal
	}
	if refusal := d.readHeader(header); refusal != nil {
		return nil, refusal
	}
	return d, nil
}

func (d *Reader) readHeader(header []string) *omniflow.Refusal {
	d.columns, d.width = make(map[string]int, len(header)), len(header)
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columnNames[:], name) {
			d.pending = append(d.pending, Issue{Line: 1, Column: fmt.Sprintf("#%d", i+1), Reason: omniflow.ColumnUnknown, Weight: Warning})
			continue
		}
		if _, twice := d.columns[name]; twice {
			return omniflow.Refuse(omniflow.CSVInvalid, "IMP-01", "line 1: the header names the column %s twice", name)
		}
		d.columns[name] = i
	}
	for _, name := range columnNames[:required] {
		if _, ok := d.columns[name]; !ok {
			return omniflow.Refuse(omniflow.CSVColumnMissing, "IMP-01", "the header does not name the column %s", name)
		}
	}
	return nil
}

// Next gives the next good row, and every issue met since the last call: of
// rows rejected or dropped as duplicates on the way, and the row's own
// warnings. After the last row it gives the remaining issues and io.EOF.
//
// Errors: io.EOF; *omniflow.Refusal csv_invalid, after which nothing the
// reader gave should be used; an error of the source. Each stays.
func (d *Reader) Next() (Row, []Issue, error) {
	issues := d.pending
	d.pending = nil
	for d.fatal == nil {
		record, err := d.csv.Read()
		if refusal := d.rejectParse(err); refusal != nil {
			issues = append(issues, *refusal)
			continue
		}
		if err != nil {
			d.fatal = fileError(err)
			break
		}
		if blank(record) {
			continue
		}
		d.rows++
		if refusal := d.checkText(record); refusal != nil {
			d.fatal = refusal
			break
		}
		row, found := d.parse(record)
		issues = append(issues, found...)
		if !rejects(found) {
			return row, issues, nil
		}
	}
	return Row{}, issues, d.fatal
}

// Rows is how many rows were read so far, good or not.
func (d *Reader) Rows() int { return d.rows }

// rejectParse makes an issue of an error that is about one line only. A quote
// that stays open over lines is not: rows cannot be told apart after it.
func (d *Reader) rejectParse(err error) *Issue {
	var bad *csv.ParseError
	if !errors.As(err, &bad) || bad.StartLine != bad.Line {
		return nil
	}
	d.rows++
	return &Issue{Line: bad.StartLine, Reason: omniflow.CSVInvalid, Weight: Rejected}
}

// fileError makes a refusal of an error that spoils the whole file.
func fileError(err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return omniflow.Refuse(omniflow.CSVInvalid, "IMP-01", "line %d: a quote is not closed or stands inside a field", bad.StartLine)
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read customer file: %w", err)
}

// checkText refuses a record that is not UTF-8, naming the line. A NUL is what
// UTF-16 looks like.
func (d *Reader) checkText(record []string) *omniflow.Refusal {
	for i, cell := range record {
		if !utf8.ValidString(cell) || strings.ContainsRune(cell, 0) {
			line, _ := d.csv.FieldPos(i)
			return omniflow.Refuse(omniflow.CSVInvalid, "IMP-01", "line %d: the file is not UTF-8", line)
		}
	}
	return nil
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

func rejects(issues []Issue) bool {
	return slices.ContainsFunc(issues, func(i Issue) bool { return i.Weight != Warning })
}
