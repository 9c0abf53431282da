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

// filed is a file that was uploaded as M1, with a caption.
func filed(kind omniflow.MessageKind, caption string) []omniflow.Content {
	return []omniflow.Content{{Kind: kind, Media: &omniflow.Media{Handle: "M1", Name: "型錄.pdf"}, Text: caption}}
}

// headed is a template with such a file at its head.
func headed(kind omniflow.MessageKind, params ...string) []omniflow.Content {
	return form(omniflow.Template{Name: "n", Language: "en", Params: params,
		Header: &omniflow.TemplateHeader{Kind: kind, Media: filed(kind, "")[0].Media}})
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
		{"section 2.3: a header without its file", form(omniflow.Template{Name: "n", Language: "en", Header: &omniflow.TemplateHeader{Kind: omniflow.Image}}), omniflow.MediaNotReady},
		{"section 2.2: a caption of 1,024 characters", filed(omniflow.Image, strings.Repeat("好", 1024)), ""},
		{"section 2.2: a caption of 1,025 characters", filed(omniflow.File, strings.Repeat("好", 1025)), omniflow.MessageTooLong},
		{"section 2.2: a caption of audio", filed(omniflow.Audio, "x"), omniflow.ContentUnsupported},
		{"a caption that is not UTF-8", filed(omniflow.Image, "a\xff"), omniflow.InvalidInput},
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
		`{` + head + `,"type":"image","image":{"id":"M1","caption":"新品"}}`:                           filed(omniflow.Image, "新品"),
		`{` + head + `,"type":"video","video":{"id":"M1"}}`:                                          filed(omniflow.Video, ""),
		`{` + head + `,"type":"audio","audio":{"id":"M1"}}`:                                          filed(omniflow.Audio, ""),
		`{` + head + `,"type":"document","document":{"id":"M1","filename":"型錄.pdf","caption":"新品"}}`: filed(omniflow.File, "新品"),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"en"},"components":[
			{"type":"header","parameters":[{"type":"image","image":{"id":"M1"}}]},{"type":"body","parameters":[{"type":"text","text":"A"}]}]}}`: headed(omniflow.Image, "A"),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"en"},"components":[
			{"type":"header","parameters":[{"type":"video","video":{"id":"M1"}}]}]}}`: headed(omniflow.Video),
		`{` + head + `,"type":"template","template":{"name":"n","language":{"code":"en"},"components":[
			{"type":"header","parameters":[{"type":"document","document":{"id":"M1","filename":"型錄.pdf"}}]}]}}`: headed(omniflow.File),
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
