package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAutoCloseTimesOfZero: a 0 that is given is refused and not taken for one
// that was left out.
func TestAutoCloseTimesOfZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.office()
	for _, field := range []string{"duration_seconds", "grace_seconds"} {
		for _, value := range []int{0, -1} {
			draft := m{"name": "chat", "channels": []string{"line"}, "enabled": true, field: value}
			w.do("POST", "/v1/auto-close-rules", o.admin, draft).problem(422, "auto_close_duration_invalid")
		}
	}
	var made autoCloseBody
	w.do("POST", "/v1/auto-close-rules", o.admin, m{"name": "chat", "channels": []string{"line"}, "enabled": true}).into(201, &made)
	require.Equal(t, []int{86400, 120}, []int{*made.DurationSeconds, *made.GraceSeconds})
	draft := m{"version": 1, "name": "chat", "channels": []string{"line"}, "enabled": true, "grace_seconds": 0}
	w.do("PUT", "/v1/auto-close-rules/"+made.ID.String(), o.admin, draft).problem(422, "auto_close_duration_invalid")
}
