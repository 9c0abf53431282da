package temporaltest

import (
	"bytes"
	"sync"
)

// recordBytes is how much of a server's output is kept: the beginning, where
// the cause of a failure stands.
const recordBytes = 64 << 10

// record keeps what a server writes.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps p as far as there is room. It takes all of it: a server whose
// output is refused would stop.
func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	room := recordBytes - r.text.Len()
	r.text.Write(p[:min(len(p), room)])
	return len(p), nil
}

// String is what was kept.
func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
