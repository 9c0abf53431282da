package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
)

// unknownTo is one message of text to one customer, whose answer was lost.
func (s *spine) unknownTo(ch omniflow.Channel, name, text string) omniflow.ClaimedMessage {
	s.t.Helper()
	s.customers(ch, 1)
	s.Exec(`UPDATE contacts SET name = $1`, name)
	s.plan(text)
	fence, _ := s.take(ch)
	messages := s.claim(ch, fence, 1).Messages
	require.Len(s.t, messages, 1)
	s.record(omniflow.Unknown, messages...)
	return messages[0]
}

func TestAnEchoOfAPersonalTextIsMatchedWithTheNameOfTheRow(t *testing.T) {
	t.Parallel()
	s := newSpine(t)
	m := s.unknownTo(omniflow.Instagram, "王小明", "您好 {{system:customer_name}}!")
	require.Equal(t, "王小明", m.Name)
	for _, miss := range []string{"您好 {{system:customer_name}}!", "您好 !", "您好 李四!"} {
		require.Zero(t, s.clues(s.echo(0, "mid.1", miss)).Changed, miss)
	}
	require.Equal(t, 1, s.clues(s.echo(0, "mid.2", "您好 王小明!")).Changed)
	require.Equal(t, omniflow.Sent, s.state(m.ID))
}

// An echo without text is that of a file, on Instagram only: on Messenger an
// echo of ours has our key, and one without is somebody else's.
func TestAnEchoOfAFile(t *testing.T) {
	t.Parallel()
	for ch, changed := range map[omniflow.Channel]int{omniflow.Instagram: 1, omniflow.Facebook: 0} {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newSpine(t)
			m := s.unknownTo(ch, "", "x")
			s.Exec(`UPDATE contents SET body = '[{"kind":"image","media_id":"0199d0a0-0000-7000-8000-000000000001"}]'`)
			echo := s.clue(ch, 0, omniflow.Sent, "mid.1")
			echo.Echo = true
			require.Equal(t, changed, s.clues(echo).Changed)
			want := map[int]omniflow.MessageState{1: omniflow.Sent, 0: omniflow.Unknown}[changed]
			require.Equal(t, want, s.state(m.ID))
		})
	}
}
