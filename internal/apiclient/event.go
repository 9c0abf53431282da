package apiclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one server-sent event.
type event struct {
	id   string // "": that of the event before
	name string // "" is "message"
	data []byte
}

// maxEventBytes bounds one line of a stream; a detail with 100 lanes has 60 kB.
const maxEventBytes = 4 << 20

// errStreamEnded means that the stream closed before it said done.
var errStreamEnded = errors.New("the stream of events ended early")

// readEvents parses text/event-stream. alive is called at every line, comments
// too; each at every event, one of an id alone too, until it says done, which is
// the only nil return.
func readEvents(r io.Reader, alive func(), each func(event) (done bool, err error)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), maxEventBytes)
	var now event
	var data []string
	for lines.Scan() {
		alive()
		line := strings.TrimSuffix(lines.Text(), "\r")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if now.id == "" && now.name == "" && data == nil {
				continue
			}
			now.data = []byte(strings.Join(data, "\n"))
			if done, err := each(now); done || err != nil {
				return err
			}
			now, data = event{}, nil
		case field == "id":
			now.id = value
		case field == "event":
			now.name = value
		case field == "data":
			data = append(data, value)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the stream of events: %w", err)
	}
	return errStreamEnded
}
