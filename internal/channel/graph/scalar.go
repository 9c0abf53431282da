package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Scalar is a JSON string, number or bool, kept as its text: Meta's samples
// quote ids and timestamps here and not there. null and absence are "".
type Scalar string

// UnmarshalJSON takes any scalar; an object or array is an error.
func (s *Scalar) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0 || bytes.Equal(data, []byte("null")):
		*s = ""
		return nil
	case plain(data):
		*s = Scalar(data[1 : len(data)-1])
		return nil
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(s))
	case data[0] == '{' || data[0] == '[':
		return fmt.Errorf("a scalar was expected")
	}
	*s = Scalar(data)
	return nil
}

// plain says that a quoted JSON string is its own text: ASCII, nothing
// escaped. Such a string needs no second decoder.
func plain(quoted []byte) bool {
	last := len(quoted) - 1
	if last < 1 || quoted[0] != '"' || quoted[last] != '"' {
		return false
	}
	for _, c := range quoted[1:last] {
		if c < ' ' || c > '~' || c == '\\' || c == '"' {
			return false
		}
	}
	return true
}

// String is the text.
func (s Scalar) String() string { return string(s) }

// Int is the whole number that s holds, or 0.
func (s Scalar) Int() int {
	n, err := strconv.Atoi(string(s))
	if err != nil {
		return 0
	}
	return n
}

// Unix times from here on are milliseconds: as seconds it is the year 5138.
const firstMilli = 100_000_000_000

// lastMilli is the end of the year 9999, the last that JSON can write.
const lastMilli = 253_402_300_799_999

// Time reads s as a Unix time: seconds in WhatsApp's webhooks, milliseconds in
// the others, and seconds there too in some examples. What is no time is the
// zero Time.
func (s Scalar) Time() time.Time {
	n, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil || n <= 0 || n > lastMilli {
		return time.Time{}
	}
	if n < firstMilli {
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}
