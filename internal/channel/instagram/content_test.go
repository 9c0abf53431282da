package instagram

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
		{"section 3: 1,000 bytes", text1(strings.Repeat("a", 1000)), ""},
		{"section 3: 1,001 bytes", text1(strings.Repeat("a", 1001)), omniflow.MessageTooLong},
		{"section 3: 333 Chinese characters", text1(strings.Repeat("好", 333)), ""},
		{"section 3: 334 Chinese characters", text1(strings.Repeat("好", 334)), omniflow.MessageTooLong},
		{"section 3: 250 emoji", text1(strings.Repeat("🎉", 250)), ""},
		{"section 3: 251 emoji", text1(strings.Repeat("🎉", 251)), omniflow.MessageTooLong},
		{"no content", nil, omniflow.MessageEmpty},
		{"white space", text1(" \n\t"), omniflow.MessageEmpty},
		{"not UTF-8", text1("a\xff"), omniflow.InvalidInput},
		{"section 4: a template", []omniflow.Content{{Kind: omniflow.TemplateKind}}, omniflow.ContentUnsupported},
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
		`{"recipient":{"id":"700"},"messaging_type":"UPDATE","message":{"text":"a<b>"}}`:                          false,
		`{"recipient":{"id":"700"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message":{"text":"a<b>"}}`: true,
	} {
		r, err := page.Request(channel.Message{Recipient: "700", Contents: text1("a<b>"), HumanAgent: human})
		require.NoError(t, err)
		data, err := json.Marshal(r)
		require.NoError(t, err)
		require.JSONEq(t, want, string(data))
	}
}
