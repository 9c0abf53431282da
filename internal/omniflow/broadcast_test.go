package omniflow

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// texts is n text messages.
func texts(n int) []Content {
	cs := make([]Content, n)
	for i := range cs {
		cs[i] = Content{Kind: Text, Text: "new in store"}
	}
	return cs
}

func template(params ...string) Content {
	return Content{Kind: TemplateKind, Template: &Template{Name: "new_in_store", Language: "zh_TW", Params: params}}
}

func TestBroadcastRequestValidate(t *testing.T) {
	t.Parallel()
	all := Audience{All: true}
	message := func(cs ...Content) BroadcastRequest {
		return BroadcastRequest{Kind: BroadcastMessage, Audience: all, Messages: cs}
	}
	templates := func(cs ...Content) BroadcastRequest {
		return BroadcastRequest{Kind: BroadcastTemplate, Audience: all, Messages: cs}
	}
	to := func(kind BroadcastKind, a Audience) BroadcastRequest {
		r := BroadcastRequest{Kind: kind, Client: App, Audience: a, Messages: texts(1)}
		if kind == BroadcastTemplate {
			r.Messages = []Content{template()}
		}
		return r
	}
	for _, test := range []struct {
		name string
		r    BroadcastRequest
		want Code
	}{
		{"BRD-05 one message", message(texts(1)...), ""},
		{"EX-116 five messages are accepted", message(texts(5)...), ""},
		{"EX-116 six messages are refused", message(texts(6)...), BroadcastMessageCount},
		{"BRD-05 no message", message(), BroadcastMessageCount},
		{"D-BRD-1 six templates", templates(template(), template(), template(), template(), template(), template()), BroadcastMessageCount},
		{"BRD-03 no kind", BroadcastRequest{Audience: all, Messages: texts(1)}, InvalidInput},
		{"BRD-03 a kind that is none", BroadcastRequest{Kind: "spam", Audience: all, Messages: texts(1)}, InvalidInput},
		{"BRD-04 a client that is none", BroadcastRequest{Kind: BroadcastMessage, Client: "fax", Audience: all, Messages: texts(1)}, InvalidInput},
		{"MSG-01 an empty text", message(Content{Kind: Text}), MessageEmpty},
		{"MSG-01 a text of blanks", message(Content{Kind: Text, Text: " \n\u3000"}), MessageEmpty},
		{"a text with a NUL", message(Content{Kind: Text, Text: "a\x00b"}), InvalidInput},
		{"a text that is no UTF-8", message(Content{Kind: Text, Text: "a\xff"}), InvalidInput},
		{"a kind the pipeline does not send", message(Content{Kind: Sticker}), ContentUnsupported},
		{"BRD-03 a template among messages", message(template()), BroadcastContentUnsupported},
		{"BRD-03 a template", templates(template("Ann", "A-1")), ""},
		{"BRD-09 a text among templates", templates(texts(1)...), TemplateInvalid},
		{"BRD-10 no template named", templates(Content{Kind: TemplateKind}), TemplateInvalid},
		{"BRD-10 a name with a blank", templates(Content{Kind: TemplateKind, Template: &Template{Name: "a b", Language: "en"}}), TemplateInvalid},
		{"BRD-10 no language", templates(Content{Kind: TemplateKind, Template: &Template{Name: "a"}}), TemplateInvalid},
		{"BRD-10 an empty parameter", templates(template("Ann", " ")), TemplateInvalid},
		{"a parameter with a NUL", templates(template("\x00")), InvalidInput},
		{"BRD-04 nobody", to(BroadcastMessage, Audience{}), BroadcastEmpty},
		{"BRD-04 a filter", to(BroadcastMessage, Audience{Tags: []string{"VIP"}}), ""},
		{"BRD-04 all, narrowed", to(BroadcastMessage, Audience{All: true, Channels: []Channel{LINE, WhatsApp}, Stores: []string{"A"}}), ""},
		{"BRD-04 conversations", to(BroadcastMessage, Audience{ConversationIDs: []uuid.UUID{uuid.New()}}), ""},
		{"BRD-04 conversations and all", to(BroadcastMessage, Audience{All: true, ConversationIDs: []uuid.UUID{uuid.New()}}), InvalidInput},
		{"BRD-04 conversations and a filter", to(BroadcastMessage, Audience{Stores: []string{"A"}, ConversationIDs: []uuid.UUID{uuid.New()}}), InvalidInput},
		{"BRD-03 Webchat", to(BroadcastMessage, Audience{Channels: []Channel{LINE, Webchat}}), BroadcastChannelUnsupported},
		{"BRD-03 WeChat", to(BroadcastTemplate, Audience{Channels: []Channel{WeChat}}), BroadcastChannelUnsupported},
		{"a channel that is none", to(BroadcastMessage, Audience{Channels: []Channel{"telegram"}}), ChannelUnknown},
		{"BRD-03 templates to LINE", to(BroadcastTemplate, Audience{Channels: []Channel{LINE}}), TemplateInvalid},
		{"BRD-03 templates to WhatsApp", to(BroadcastTemplate, Audience{Channels: []Channel{WhatsApp}}), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(test.r.Validate()))
		})
	}
}

func TestValidateNamesTheMessageAndHidesItsText(t *testing.T) {
	t.Parallel()
	r := BroadcastRequest{Kind: BroadcastMessage, Audience: Audience{All: true}, Messages: []Content{{Kind: Text, Text: "fine"}, {Kind: Text, Text: "secret\x00"}}}
	refusal := r.Validate()
	require.True(t, strings.HasPrefix(refusal.Detail, "message 2: "), refusal.Detail)
	require.NotContains(t, refusal.Error(), "secret")
}

func TestBroadcastRequestJSON(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0190b7a6-0000-7000-8000-000000000001")
	var r BroadcastRequest
	require.NoError(t, json.Unmarshal([]byte(`{"kind":"broadcast_message","client":"app","name":"n",
		"audience":{"conversation_ids":["0190b7a6-0000-7000-8000-000000000001"]},"messages":[{"kind":"text","text":"hi"}]}`), &r))
	require.Equal(t, BroadcastRequest{Kind: BroadcastMessage, Client: App, Name: "n",
		Audience: Audience{ConversationIDs: []uuid.UUID{id}}, Messages: []Content{{Kind: Text, Text: "hi"}}}, r)
}
