package facebook

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func text1(s string) []omniflow.Content { return []omniflow.Content{{Kind: omniflow.Text, Text: s}} }

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		contents []omniflow.Content
		want     omniflow.Code
	}{
		{"section 3: 1,999 characters", text1(strings.Repeat("好", 1999)), ""},
		{"section 3: 2,000 characters", text1(strings.Repeat("好", 2000)), omniflow.MessageTooLong},
		{"section 18: 999 emoji are 1,998 units", text1(strings.Repeat("🎉", 999)), ""},
		{"section 18: 1,000 emoji are 2,000 units", text1(strings.Repeat("🎉", 1000)), omniflow.MessageTooLong},
		{"no content", nil, omniflow.MessageEmpty},
		{"white space", text1(" \n\t"), omniflow.MessageEmpty},
		{"not UTF-8", text1("a\xff"), omniflow.InvalidInput},
		{"a WhatsApp template", []omniflow.Content{{Kind: omniflow.TemplateKind}}, omniflow.ContentUnsupported},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := page.Check(test.contents)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			var refusal *omniflow.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, test.want, refusal.Code)
		})
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	for want, human := range map[string]bool{
		`{"recipient":{"id":"700"},"messaging_type":"UPDATE",
			"message":{"text":"a<b>","metadata":"m1.019a2b3c-0000-7000-8000-000000000001.1"}}`: false,
		`{"recipient":{"id":"700"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT",
			"message":{"text":"a<b>","metadata":"m1.019a2b3c-0000-7000-8000-000000000001.1"}}`: true,
	} {
		r, err := page.Request(channel.Message{Key: key, Recipient: "700", Contents: text1("a<b>"), HumanAgent: human})
		require.NoError(t, err)
		data, err := json.Marshal(r)
		require.NoError(t, err)
		require.JSONEq(t, want, string(data))
	}
}

// Without a key an unanswered message could never be found again.
func TestBodyRefuses(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]channel.Message{
		"two contents": {Key: key, Recipient: "700", Contents: append(text1("a"), text1("b")...)},
		"no recipient": {Key: key, Contents: text1("a")},
		"no key":       {Recipient: "700", Contents: text1("a")},
	} {
		_, err := page.Request(m)
		var refusal *omniflow.Refusal
		require.ErrorAs(t, err, &refusal, name)
	}
}
