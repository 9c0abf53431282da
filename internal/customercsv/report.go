package customercsv

import (
	"errors"
	"io"
)

// Report is what became of a file.
type Report struct {
	Rows       int     `json:"rows"` // without the header and blank lines
	Good       int     `json:"good"`
	Duplicates []Issue `json:"duplicates"`
	Rejected   []Issue `json:"rejected"`
	Warnings   []Issue `json:"warnings"`
}

// add files issues by weight.
func (r *Report) add(issues []Issue) {
	for _, i := range issues {
		switch i.Weight {
		case Duplicate:
			r.Duplicates = append(r.Duplicates, i)
		case Warning:
			r.Warnings = append(r.Warnings, i)
		default:
			r.Rejected = append(r.Rejected, i)
		}
	}
}

// Each reads a whole file and hands every good row to use; an error of use
// ends it. The report is complete only where the error is nil.
//
// Errors: those of New and Next, but io.EOF; those of use, as they are.
func Each(r io.Reader, opts Options, use func(Row) error) (Report, error) {
	report := Report{Duplicates: []Issue{}, Rejected: []Issue{}, Warnings: []Issue{}}
	d, err := New(r, opts)
	if err != nil {
		return report, err
	}
	for {
		row, issues, err := d.Next()
		report.Rows = d.Rows()
		report.add(issues)
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err != nil {
			return report, err
		}
		report.Good++
		if err := use(row); err != nil {
			return report, err
		}
	}
}
