package customercsv

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"omniflow/internal/omniflow"
)

func readAll(file string) ([]Row, Report, error) {
	var rows []Row
	report, err := Each(strings.NewReader(file), Options{Now: noon}, func(r Row) error {
		rows = append(rows, r)
		return nil
	})
	return rows, report, err
}

const user = "U0123456789abcdef0123456789abcdef"

func TestHeader(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"any order and case":   "PHONE, Channel_User_ID ,channel,Customer_ID\n," + user + ",line,C1\n",
		"byte order mark":      "\ufeffcustomer_id,channel,channel_user_id,phone\nC1,line," + user + ",\n",
		"mark before a quote":  "\ufeff\"customer_id\",channel,channel_user_id,phone\nC1,line," + user + ",\n",
		"CRLF and blank lines": "customer_id,channel,channel_user_id,phone\r\n\r\n,,,\r\nC1,line," + user + ",\r\n",
		"no newline at end":    "customer_id,channel,channel_user_id,phone\nC1,LINE," + user + ",",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, report, err := readAll(file)
			require.NoError(t, err)
			require.Empty(t, report.Warnings)
			require.Equal(t, 1, report.Rows)
			require.Len(t, rows, 1)
			require.Equal(t, "C1", rows[0].CustomerID)
			require.Equal(t, user, rows[0].ChannelUserID)
		})
	}
}

func TestUnknownColumnIsAWarning(t *testing.T) {
	t.Parallel()
	_, report, err := readAll("customer_id,secret,channel,channel_user_id,phone\nC1,x,line," + user + ",\n")
	require.NoError(t, err)
	require.Equal(t, []Issue{{Line: 1, Column: "#2", Reason: omniflow.ColumnUnknown, Weight: Warning}}, report.Warnings)
	require.Equal(t, 1, report.Good)
}

func TestFileRefused(t *testing.T) {
	t.Parallel()
	encode := func(s string, err error) string {
		require.NoError(t, err)
		return s
	}
	row := "C1,王小明,TW,,,line," + user + ",,,\n"
	for name, test := range map[string]struct {
		file   string
		code   omniflow.Code
		detail string
	}{
		"empty":            {"", omniflow.CSVInvalid, "empty"},
		"only a mark":      {"\ufeff", omniflow.CSVInvalid, "empty"},
		"no channel":       {"customer_id,phone,channel_user_id\n", omniflow.CSVColumnMissing, "the column channel"},
		"no phone":         {"customer_id,channel,channel_user_id\n", omniflow.CSVColumnMissing, "the column phone"},
		"no header":        {row, omniflow.CSVColumnMissing, "the column customer_id"},
		"semicolons":       {strings.ReplaceAll(head, ",", ";"), omniflow.CSVColumnMissing, "customer_id"},
		"a column twice":   {"customer_id,channel,Phone,phone,channel_user_id\n", omniflow.CSVInvalid, "phone twice"},
		"UTF-16 with mark": {encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(head + row)), omniflow.CSVInvalid, "line 1"},
		"UTF-16":           {encode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(head + row)), omniflow.CSVInvalid, "line 1"},
		"Big5":             {head + "C0,x,,,,line,U0,,,\n" + encode(traditionalchinese.Big5.NewEncoder().String(row)), omniflow.CSVInvalid, "line 3"},
		"NUL":              {head + "C1,\x00,TW,,,line," + user + ",,,\n", omniflow.CSVInvalid, "line 2"},
		"an open quote":    {head + "C1,\"x,TW,,,line," + user + ",,,\n" + row, omniflow.CSVInvalid, "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, _, err := readAll(test.file)
			var refusal *omniflow.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, test.code, refusal.Code)
			require.Contains(t, refusal.Detail, test.detail)
			require.NotContains(t, refusal.Detail, "王")
			require.Empty(t, rows)
		})
	}
}

func TestABadLineDoesNotEndTheFile(t *testing.T) {
	t.Parallel()
	good := func(id, last string) string { return id + ",,,,,line," + user[:32] + last + ",,,\n" }
	rows, report, err := readAll(head + good("C1", "1") + "C2,a\"b,,,,line,,,,\n" + "C3\n" + good("C4", "4") + "C5,,,,,line," + user + ",,,,,\n" + good("C6", "6"))
	require.NoError(t, err)
	require.Equal(t, 6, report.Rows)
	require.Len(t, rows, 3)
	require.Equal(t, []Issue{
		{Line: 3, Reason: omniflow.CSVInvalid, Weight: Rejected},
		{Line: 4, Reason: omniflow.FieldCount, Weight: Rejected},
		{Line: 6, Reason: omniflow.FieldCount, Weight: Rejected},
	}, report.Rejected)
}

func TestARejectedRowDoesNotHideALaterGoodOne(t *testing.T) {
	t.Parallel()
	rows, report, err := readAll(head + "C1,,,,,line,nobody,,,\nC1,,,,,line," + user + ",,,\nC2,,,,,line," + user + ",,,\n")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, 3, rows[0].Line)
	require.Equal(t, []Issue{{Line: 4, OfLine: 3, Column: "channel_user_id", Reason: omniflow.DuplicateIdentity, Weight: Duplicate}}, report.Duplicates)
}

func TestOneIDOnTwoChannelsIsTwoIdentities(t *testing.T) {
	t.Parallel()
	rows, _, err := readAll(head + "C1,,,,,facebook,1234567,,,\nC2,,,,,instagram,1234567,,,\n")
	require.NoError(t, err)
	require.Len(t, rows, 2)
}

func TestNextStaysAtItsEnd(t *testing.T) {
	t.Parallel()
	d, err := New(strings.NewReader(head+"C1,,,,,pigeon,,,,\n"), Options{})
	require.NoError(t, err)
	_, issues, err := d.Next()
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, issues, 1)
	_, issues, err = d.Next()
	require.ErrorIs(t, err, io.EOF)
	require.Empty(t, issues)
}

func TestErrorsOfSourceAndCallerComeThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("cable cut")
	_, err := New(iotest.ErrReader(broken), Options{})
	require.ErrorIs(t, err, broken)
	_, err = Each(io.MultiReader(strings.NewReader(head), iotest.ErrReader(broken)), Options{}, func(Row) error { return nil })
	require.ErrorIs(t, err, broken)
	_, err = Each(strings.NewReader(messy(1)), Options{}, func(Row) error { return broken })
	require.Equal(t, broken, err)
}

func TestLastMessageAt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cell string
		good bool
	}{
		"Z":                    {"2026-11-20T03:59:15Z", true},
		"offset":               {"2026-11-20T03:59:15+00:00", true},
		"empty is never":       {"", true},
		"5 min ahead":          {"2026-11-20T12:05:00Z", true},
		"5 min 1 s ahead":      {"2026-11-20T12:05:01Z", false},
		"ahead by its offset":  {"2026-11-20T12:00:00-01:00", false},
		"a date":               {"2026-11-20", false},
		"no zone":              {"2026-11-20T03:59:15", false},
		"a day that is not":    {"2026-02-30T00:00:00Z", false},
		"seconds of the epoch": {"1763600000", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, report, err := readAll(head + "C1,,,,,line," + user + "," + test.cell + ",,\n")
			require.NoError(t, err)
			if test.good {
				require.Len(t, rows, 1)
				require.Equal(t, test.cell == "", rows[0].LastMessageAt == nil)
				return
			}
			require.Empty(t, rows)
			require.Equal(t, []Issue{{Line: 2, Column: "last_message_at", Reason: omniflow.TimeInvalid, Weight: Rejected}}, report.Rejected)
		})
	}
}
