package omniflow

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		text string
		want Code
	}{
		{"WhatsApp, 4,096 characters", WhatsApp, strings.Repeat("😀", 4096), ""},
		{"WhatsApp, 4,097 characters", WhatsApp, strings.Repeat("a", 4097), MessageTooLong},
		{"LINE, 5,000 units", LINE, strings.Repeat("中", 5000), ""},
		{"LINE, 5,001 units", LINE, strings.Repeat("中", 5001), MessageTooLong},
		{"LINE, 2,500 emoji of two units", LINE, strings.Repeat("😀", 2500), ""},
		{"LINE, 2,501 emoji of two units", LINE, strings.Repeat("😀", 2501), MessageTooLong},
		{"Facebook, 1,999 units", Facebook, strings.Repeat("é", 1999), ""},
		{"Facebook, 2,000 units", Facebook, strings.Repeat("é", 2000), MessageTooLong},
		{"Facebook, 1,000 emoji", Facebook, strings.Repeat("😀", 1000), MessageTooLong},
		{"Instagram, 1,000 bytes", Instagram, strings.Repeat("a", 1000), ""},
		{"Instagram, 1,001 bytes", Instagram, strings.Repeat("a", 1001), MessageTooLong},
		{"Instagram, 333 characters of three bytes", Instagram, strings.Repeat("中", 333), ""},
		{"Instagram, 334 characters of three bytes", Instagram, strings.Repeat("中", 334), MessageTooLong},
		{"Instagram, 251 emoji", Instagram, strings.Repeat("😀", 251), MessageTooLong},
		{"nothing", LINE, "", MessageEmpty},
		{"blanks", LINE, "\t ", MessageEmpty},
		{"half a character", LINE, "\xe4\xb8", InvalidInput},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(CheckText(test.ch, test.text)))
		})
	}
	require.Equal(t, []Channel{Instagram}, CheckText(Instagram, strings.Repeat("a", 1001)).Channels)
}

func TestFillName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, customer, want string }{
		{"EX-132 a contact with a name", "您好 {{system:customer_name}}!", "王小明", "您好 王小明!"},
		{"EX-132 a web customer without", "您好 {{system:customer_name}}!", "", "您好 !"},
		{"D-VAR-1 an altered variable", "{{ system:customer_name }}", "Ann", "{{ system:customer_name }}"},
		{"D-VAR-1 an unknown variable", "{{system:phone}}", "Ann", "{{system:phone}}"},
		{"D-VAR-1 a variable inside a name", "{{system:customer_name}}!", "{{system:customer_name}}", "{{system:customer_name}}!"},
		{"twice", "{{system:customer_name}}{{system:customer_name}}", "A", "AA"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, FillName(test.text, test.customer))
		})
	}
	require.True(t, Personal("Dear {{system:customer_name}}"))
	require.False(t, Personal("Dear {{system:Customer_name}}"))
}

func TestCheckVariables(t *testing.T) {
	t.Parallel()
	text := "Dear {{system:customer_name}}"
	require.Equal(t, ContentUnsupported, code(CheckVariables(WhatsAppGroup, text)), "EX-017, VAR-04")
	require.Equal(t, ContentUnsupported, code(CheckVariables(LINEGroup, text)), "VAR-04")
	require.Nil(t, CheckVariables(OneToOne, text))
	require.Nil(t, CheckVariables(LINEGroup, "Dear all"))
}

func TestCheckCaption(t *testing.T) {
	t.Parallel()
	for _, ch := range BroadcastChannels {
		require.Nil(t, CheckCaption(ch, ""), ch)
		r := CheckCaption(ch, "新品")
		if ch == WhatsApp {
			require.Nil(t, r)
			continue
		}
		require.Equal(t, BroadcastContentUnsupported, code(r), "not left out in silence")
		require.Equal(t, []Channel{ch}, r.Channels)
	}
	require.Nil(t, CheckCaption(WhatsApp, strings.Repeat("好", 1024)))
	require.Equal(t, MessageTooLong, code(CheckCaption(WhatsApp, strings.Repeat("好", 1025))))
}

func TestTemplateHeaders(t *testing.T) {
	t.Parallel()
	with := func(h *TemplateHeader) Content {
		return Content{Kind: TemplateKind, Template: &Template{Name: "n", Language: "en", Header: h}}
	}
	id := uuid.New()
	for _, test := range []struct {
		name   string
		header *TemplateHeader
		has    MessageKind
		check  Code // of the request alone
		use    Code // beside the definition
	}{
		{"no header anywhere", nil, "", "", ""},
		{"the image that it takes", &TemplateHeader{Kind: Image, MediaID: id}, Image, "", ""},
		{"a document that it takes", &TemplateHeader{Kind: File, MediaID: id}, File, "", ""},
		{"another kind", &TemplateHeader{Kind: Video, MediaID: id}, Image, "", TemplateInvalid},
		{"one too few", nil, Image, "", TemplateInvalid},
		{"one too many", &TemplateHeader{Kind: Image, MediaID: id}, "", "", TemplateInvalid},
		{"audio is none", &TemplateHeader{Kind: Audio, MediaID: id}, Audio, TemplateInvalid, ""},
		{"no file named", &TemplateHeader{Kind: Image}, Image, TemplateInvalid, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := with(test.header)
			require.Equal(t, test.check, code(c.Check()))
			require.Equal(t, test.use, code(c.Template.CheckHeader(test.has)))
		})
	}
	file := Media{ID: id, Kind: Image}
	c := with(&TemplateHeader{Kind: File, MediaID: id, Media: &file})
	require.Equal(t, []Media{{ID: id, Kind: File}}, MediaOf([]Content{c}), "as what it is sent")
	placed := c.WithFile(Media{ID: id, Kind: File, Handle: "M1"})
	got, kind := placed.File()
	require.Equal(t, "M1", got.Handle)
	require.Equal(t, File, kind)
	require.Empty(t, c.Template.Header.Media.Handle, "what is stored stays")
	picture := Content{Kind: Image, Media: &file}.WithFile(Media{ID: id, Handle: "M2"})
	require.Equal(t, "M2", picture.Media.Handle)
}

func TestNamesInCaptionsAndParameters(t *testing.T) {
	t.Parallel()
	contents := []Content{{Kind: Image, Text: "Dear " + CustomerName}, {Kind: TemplateKind, Template: &Template{Name: "n", Params: []string{CustomerName, "2"}}}}
	for i := range contents {
		require.True(t, PersonalContents(contents[i:i+1]))
	}
	filled := FillContents(contents, "王小明")
	require.Equal(t, "Dear 王小明", filled[0].Text)
	require.Equal(t, []string{"王小明", "2"}, filled[1].Template.Params)
	require.Equal(t, CustomerName, contents[1].Template.Params[0], "what is stored stays")
}
