package postgres

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres/postgrestest"
)

// named gives the customer another name.
func (c *dialogue) named(name string) {
	c.t.Helper()
	c.Exec(`UPDATE contacts SET name = $2 WHERE id = (SELECT contact_id FROM conversations WHERE id = $1)`, c.id, name)
}

// claimed claims a message that may leave, and gives what it says.
func (c *dialogue) claimed(id uuid.UUID) []omniflow.Content {
	c.t.Helper()
	m, st, err := c.ClaimMessage(c.t.Context(), omniflow.MessageRef{TeamID: c.ID, MessageID: id})
	require.NoError(c.t, err)
	require.NotNil(c.t, m, "%+v", st)
	return m.Contents
}

// stored is what is kept of a message.
func (c *dialogue) stored(id uuid.UUID) []omniflow.Content {
	c.t.Helper()
	var out []omniflow.Content
	c.Scan(&out, `SELECT k.body FROM messages m JOIN contents k ON k.id = m.content_id WHERE m.id = $1`, id)
	return out
}

func TestEX132TheNameIsThatOfWhenTheMessageLeaves(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ch         omniflow.Channel
		name, want string
	}{
		"a contact":                     {omniflow.LINE, "王小明", "您好 王小明!"},
		"another without name, D-VAR-1": {omniflow.Facebook, "", "您好 !"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, row.ch)
			c.named("阿明")
			id := c.say(c.id, omniflow.OriginAgent, c.Member, text("您好 {{system:customer_name}}!"))
			c.named(row.name)
			require.Equal(t, []omniflow.Content{text(row.want)}, c.claimed(id))
			require.Equal(t, 1, c.spine.record(omniflow.Sent, omniflow.ClaimedMessage{ID: id, Attempt: 1}))
			c.named("陳小姐")
			shown, err := c.ConversationMessages(t.Context(), c.ID, c.id, c.Member, Cursor{}, 1)
			require.NoError(t, err)
			require.Equal(t, []any{row.want, []omniflow.Content{text(row.want)}}, []any{shown[0].Text, shown[0].Contents}, "VAR-02: the console, for ever")
		})
	}
}

// A customer of the website is whoever has come; the rest of the text is sent
// (VAR-03).
func TestEX132AWebCustomerWithoutName(t *testing.T) {
	t.Parallel()
	c := newWidget(t)
	c.named("")
	c.say(c.id, omniflow.OriginAgent, c.Member, text("您好 {{system:customer_name}}!"))
	c.deliver()
	shown, err := c.ListWebchatMessages(t.Context(), WebchatQuery{TeamID: c.ID, ChannelAccountID: c.account(omniflow.LINE),
		Customer: postgrestest.Recipient("line", 0), Limit: 100})
	require.NoError(t, err)
	require.Len(t, shown, 1)
	require.Equal(t, []omniflow.Content{text("您好 !")}, shown[0].Contents)
}

// The variable is filled in wherever a text stands, and only as it is written:
// what was altered is a text (VAR-01, D-VAR-1).
func TestVAR01WhereTheNameStands(t *testing.T) {
	t.Parallel()
	file := &omniflow.Media{ID: uuid.New(), Kind: omniflow.Image}
	for name, row := range map[string]struct {
		ch        omniflow.Channel
		say, want omniflow.Content
	}{
		"altered": {omniflow.LINE, text("{{system:customer_nam}} {{ system:customer_name }} {{System:Customer_Name}} {system:customer_name}"),
			text("{{system:customer_nam}} {{ system:customer_name }} {{System:Customer_Name}} {system:customer_name}")},
		"altered beside a right one": {omniflow.LINE, text("{{system:customer_name}} {{system:phone}}"), text("王小明 {{system:phone}}")},
		"a caption": {omniflow.WhatsApp, omniflow.Content{Kind: omniflow.Image, Text: "給 {{system:customer_name}}", Media: file},
			omniflow.Content{Kind: omniflow.Image, Text: "給 王小明", Media: file}},
		"a parameter": {omniflow.WhatsApp, omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "a", Params: []string{"1", omniflow.CustomerName}}},
			omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "a", Params: []string{"1", "王小明"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newDialogue(t, row.ch)
			c.named("王小明")
			id := c.say(c.id, omniflow.OriginAgent, c.Member, row.say)
			require.Equal(t, []omniflow.Content{row.want}, c.claimed(id))
			require.Equal(t, []omniflow.Content{row.want}, c.stored(id))
		})
	}
}

// A saved reply is one call on LINE: each of its texts is filled in.
func TestVAR02EveryTextOfASavedReply(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.LINE)
	c.named("王小明")
	id := c.say(c.id, omniflow.OriginAgent, c.Member, omniflow.Content{Kind: omniflow.SavedReply,
		Contents: []omniflow.Content{text("{{system:customer_name}}您好"), text("再見{{system:customer_name}}")}})
	want := []omniflow.Content{text("王小明您好"), text("再見王小明")}
	require.Equal(t, want, c.claimed(id))
	require.Equal(t, want, c.stored(id))
}

// A name is a text, whatever it says: what was filled in once stays, however
// often the provider has to be asked and whatever the customer is called by then.
func TestDVAR1AMessageIsFilledInOnce(t *testing.T) {
	t.Parallel()
	c := newDialogue(t, omniflow.WhatsApp)
	c.named("小{{system:customer_name}}明")
	id := c.say(c.id, omniflow.OriginAgent, c.Member, text("您好 {{system:customer_name}}"))
	want := []omniflow.Content{text("您好 小{{system:customer_name}}明")}
	require.Equal(t, want, c.claimed(id))
	throttled := omniflow.Record{MessageID: id, Attempt: 1, State: omniflow.Queued, Code: omniflow.ProviderThrottled, At: time.Now()}
	n, err := c.RecordMessages(t.Context(), c.ID, []omniflow.Record{throttled})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	c.named("陳小姐")
	require.Equal(t, want, c.claimed(id))
	require.Equal(t, want, c.stored(id))
}
