package whatsapp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func text1(s string) []omniflow.Content { return []omniflow.Content{{Kind: omniflow.Text, Text: s}} }

func form(t omniflow.Template) []omniflow.Content {
	return []omniflow.Content{{Kind: omniflow.TemplateKind, Template: &t}}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		contents []omniflow.Content
		want     omniflow.Code
	}{
		{"section 2.2: 4,096 characters", text1(strings.Repeat("好", 4096)), ""},
		{"section 2.2: 4,096 emoji", text1(strings.Repeat("🎉", 4096)), ""},
		{"section 2.2: 4,097 characters", text1(strings.Repeat("a", 4097)), omniflow.MessageTooLong},
		{"section 2.3: a template", form(omniflow.Template{Name: "n", Language: "zh_TW", Params: []string{"a"}}), ""},
		{"section 2.3: no name", form(omniflow.Template{Language: "zh_TW"}), omniflow.TemplateInvalid},
		{"section 2.3: no language", form(omniflow.Template{Name: "n"}), omniflow.TemplateInvalid},
		{"section 2.3: an empty parameter", form(omniflow.Template{Name: "n", Language: "en", Params: []string{" "}}), omniflow.TemplateInvalid},
		{"section 2.3: a long name", form(omniflow.Template{Name: strings.Repeat("n", 513), Language: "en"}), omniflow.TemplateInvalid},
		{"a template that is not there", []omniflow.Content{{Kind: omniflow.TemplateKind}}, omniflow.TemplateInvalid},
		{"no content", nil, omniflow.MessageEmpty},
		{"the second is empty", append(text1("a"), text1("")...), omniflow.MessageEmpty},
		{"not UTF-8", text1("a\xff"), omniflow.InvalidInput},
		{"a kind not sent today", []omniflow.Content{{Kind: omniflow.Sticker}}, omniflow.ContentUnsupported},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := Check(test.contents)
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
	head := `"messaging_product":"whatsapp","recipient_type":"individual","to":"+886912345678",
		"biz_opaque_callback_data":"m1.019a2b3c-0000-7000-8000-000000000001.2"`
	for want, contents := range map[string][]omniflow.Content{
		`{` + head + `,"type":"text","text":{"body":"a<b>"}}`: text1("a<b>"),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"zh_TW"},"components":[
			{"type":"body","parameters":[{"type":"text","text":"A"},{"type":"text","text":"B"}]}]}}`: form(
			omniflow.Template{Name: "n", Language: "zh_TW", Params: []string{"A", "B"}}),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"en"},"components":[
			{"type":"body","parameters":[{"type":"group_id","group_id":"Y2F"},{"type":"text","text":"A"}]}]}}`: form(
			omniflow.Template{Name: "n", Language: "en", Params: []string{"A"}, GroupID: "Y2F"}),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"en"}}}`: form(
			omniflow.Template{Name: "n", Language: "en"}),
	} {
		for _, to := range []string{"886912345678", "+886912345678"} {
			r, err := newRequest(channel.Message{Key: key, Recipient: to, Contents: contents})
			require.NoError(t, err)
			data, err := json.Marshal(r)
			require.NoError(t, err)
			require.JSONEq(t, want, string(data))
		}
	}
}

func TestBodyRefuses(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]channel.Message{
		"two contents":      {Key: key, Recipient: "886912345678", Contents: append(text1("a"), text1("b")...)},
		"no number":         {Key: key, Contents: text1("a")},
		"letters":           {Key: key, Recipient: "88691234x678", Contents: text1("a")},
		"too short":         {Key: key, Recipient: "886912", Contents: text1("a")},
		"too long":          {Key: key, Recipient: "8869123456789012", Contents: text1("a")},
		"no key to find it": {Recipient: "886912345678", Contents: text1("a")},
	} {
		_, err := newRequest(m)
		var refusal *omniflow.Refusal
		require.ErrorAs(t, err, &refusal, name)
	}
}
