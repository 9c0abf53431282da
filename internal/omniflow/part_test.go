package omniflow

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func words(list ...string) []Content {
	out := make([]Content, len(list))
	for i, w := range list {
		out[i] = Content{Kind: Text, Text: w}
	}
	return out
}

func TestPartsOf(t *testing.T) {
	t.Parallel()
	reply := Content{Kind: SavedReply, SavedReplyID: uuid.New(), Contents: words("b", "c", "d", "e")}
	messages := append(append(words("a"), reply), words("f", "g")...)
	require.Equal(t, words("a", "b", "c", "d", "e", "f", "g"), Expand(messages))
	require.Equal(t, [][]Content{words("a", "b", "c", "d", "e"), words("f", "g")}, PartsOf(LINE, messages))
	require.Len(t, PartsOf(WhatsApp, messages), 7)
	require.Equal(t, 25, MaxParts)
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, customer, want string }{
		{"EX-132 a contact with a name", "您好 {{system:customer_name}}!", "王小明", "您好 王小明!"},
		{"EX-132 nobody's name", "您好 {{system:customer_name}}!", "", "您好 !"},
		{"VAR-01 twice", "{{system:customer_name}} {{system:customer_name}}", "a", "a a"},
		{"D-VAR-1 an altered one stays", "{{system:customer_names}} {{ system:customer_name }} {{System:customer_name}}", "a", "{{system:customer_names}} {{ system:customer_name }} {{System:customer_name}}"},
		{"D-VAR-1 an unknown one stays", "{{system:phone}}", "a", "{{system:phone}}"},
		{"a name that is a variable", "{{system:customer_name}}", CustomerName, CustomerName},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			contents := []Content{{Kind: Text, Text: test.text}, {Kind: Image, Media: &Media{}}}
			require.Equal(t, test.want, FillContents(contents, test.customer)[0].Text)
			require.Equal(t, test.text, contents[0].Text, "what is stored stays")
			require.Equal(t, strings.Contains(test.text, CustomerName), PersonalContents(contents))
		})
	}
}

func TestMediaOf(t *testing.T) {
	t.Parallel()
	a, b := Media{ID: uuid.New(), Kind: Image}, Media{ID: uuid.New(), Kind: File}
	contents := []Content{{Kind: Image, Media: &a}, {Kind: SavedReply, Contents: []Content{{Kind: File, Media: &b}, {Kind: Image, Media: &a}}}, {Kind: Text}}
	require.Equal(t, []Media{a, b}, MediaOf(contents))
	asFile := a
	asFile.Kind = File
	require.Equal(t, []Media{a, asFile}, MediaOf([]Content{{Kind: Image, Media: &a}, {Kind: File, Media: &a}}))
}

func TestCountLinks(t *testing.T) {
	t.Parallel()
	site := []string{"shop.example.com"}
	for text, want := range map[string]Links{
		"":                     {},
		"no link: example.com": {},
		"官網https://shop.example.com/a?b=1，其他http://other.example/x。": {1, 1},
		"HTTPS://WWW.SHOP.EXAMPLE.COM":                               {Official: 1},
		"https://shop.example.com https://shop.example.com":          {Official: 2},
		"https://notshop.example.com/shop.example.com":               {Other: 1},
		"https://": {},
	} {
		require.Equal(t, want, CountLinks(words(text), site), text)
	}
	reply := Content{Kind: SavedReply, Contents: words("https://a.example")}
	require.Equal(t, Links{Other: 1}, CountLinks([]Content{reply, {Kind: TemplateKind}}, nil))
}

func TestParseDomain(t *testing.T) {
	t.Parallel()
	got, refusal := ParseDomain(" Shop.Example.COM ")
	require.Nil(t, refusal)
	require.Equal(t, "shop.example.com", got)
	for _, bad := range []string{"", "shop", "https://shop.example.com", "a b.com", "-a.com", "shop.example.com/x", "1.2"} {
		_, refusal := ParseDomain(bad)
		require.Equal(t, InvalidInput, code(refusal), bad)
	}
}
