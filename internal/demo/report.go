package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// printer writes numbers with commas.
func printer() *message.Printer { return message.NewPrinter(language.English) }

// printImport tells what the import did with the file, with some examples.
func printImport(w io.Writer, r apiclient.ImportReport) {
	printer().Fprintf(w, "  %d rows: %d imported, %d updated, %d duplicates, %d rejected, %d warnings\n",
		r.Rows, r.Imported, r.Updated, len(r.Duplicates), len(r.Rejected), len(r.Warnings))
	examples(w, "rejected ", r.Rejected, 5)
	examples(w, "duplicate", r.Duplicates, 3)
	examples(w, "warning  ", r.Warnings, 3)
}

func examples(w io.Writer, what string, faults []apiclient.ImportFault, most int) {
	for _, f := range faults[:min(most, len(faults))] {
		text := f.Reason
		if f.Column != "" {
			text += " [" + f.Column + "]"
		}
		if f.OfLine > 0 {
			text += fmt.Sprintf(" (as line %d)", f.OfLine)
		}
		fmt.Fprintf(w, "    %s line %5d: %s\n", what, f.Line, text)
	}
	if len(faults) > most {
		fmt.Fprintf(w, "    ... and %d more\n", len(faults)-most)
	}
}

// columns writes a table whose figures stand right below their headings.
func columns(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t")+"\t")
	}
	return t.Flush()
}

// printChannels is the table of what our ledger says, a channel a row.
func printChannels(w io.Writer, b apiclient.Broadcast, accounts []truth.Account, sums map[string]simulator.Summary, deliveries []simulator.Delivery) error {
	p := printer()
	rows := [][]string{{"channel", "planned", "sent", "failed", "skipped", "unknown", "throttled", "per second"}}
	add := func(name string, t apiclient.Tally, throttled int, rate string) {
		row := []string{name}
		for _, n := range []int{t.Planned, t.Delivered(), t.Failed, t.Skipped, t.Unknown, throttled} {
			row = append(row, p.Sprintf("%d", n))
		}
		rows = append(rows, append(row, rate))
	}
	all := 0
	for _, l := range b.Lanes {
		throttled := 0
		for _, a := range accounts {
			if a.ID == l.ChannelAccountID {
				throttled = sums[a.ExternalID].RefusedThrottle
			}
		}
		all += throttled
		add(l.Channel, l.Counts, throttled, p.Sprintf("%.0f", pace(deliveries, l.Channel)))
	}
	add("all", b.Counts, all, "")
	return columns(w, rows)
}

// pace is how many messages a second a channel took from its first to its last.
func pace(deliveries []simulator.Delivery, channel string) float64 {
	n, first, last := 0, int64(0), int64(0)
	for _, d := range deliveries {
		if string(d.Channel) != channel {
			continue
		}
		at := d.At.UnixNano()
		if n == 0 || at < first {
			first = at
		}
		last = max(last, at)
		n++
	}
	if n < 2 || last == first {
		return float64(n)
	}
	return float64(n-1) * 1e9 / float64(last-first)
}

// printTruth puts the providers' account of the broadcast beside ours.
func printTruth(w io.Writer, v verdict, sums map[string]simulator.Summary) {
	p := printer()
	lostAnswers, webhooks, repeated := 0, 0, 0
	for _, s := range sums {
		lostAnswers += s.LostResponses
		webhooks += s.Webhooks.Sent
		repeated += s.Webhooks.Duplicates
	}
	lines := []struct {
		what string
		n    int
	}{
		{"recipients we count as sent", v.Sent},
		{"recipients really reached", v.Delivered},
		{"delivered twice", v.Duplicates},
		{"counted as sent, never delivered", v.Claimed},
		{"delivered, but counted as failed, skipped or unknown", v.Unclaimed},
		{"without a final state", v.Unsettled},
		{"in the audience, but not in the broadcast", v.Missing},
		{"outside the audience, but messaged", v.Strangers},
		{"requests beyond a channel's limit", v.violations},
	}
	for _, l := range lines {
		p.Fprintf(w, "  %-54s %9d\n", l.what, l.n)
	}
	p.Fprintf(w, "  On the way the providers lost %d answers and sent %d webhook events, %d of them twice.\n", lostAnswers, webhooks, repeated)
	for _, e := range v.Examples {
		fmt.Fprintf(w, "  ! %s\n", e)
	}
}
