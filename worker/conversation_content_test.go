package main

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/simulator"
)

// delivered waits until the provider has taken n messages of the conversation,
// and gives them in order.
func (d *dialogue) delivered(n int) []simulator.Delivery {
	d.t.Helper()
	d.await("all are sent", func() bool {
		return d.count(`SELECT count(*) FROM messages WHERE team_id = $1 AND state IN ('sent', 'received', 'read')`) == n
	})
	truth := d.sim.Truth(simulator.WhatsApp, d.number)
	require.Len(d.t, truth, n)
	for _, m := range truth {
		require.True(d.t, m.Delivered, "%+v", m)
	}
	return truth
}

// contents are the hashes of what the provider took.
func contents(truth []simulator.Delivery) []string {
	out := make([]string, len(truth))
	for i, m := range truth {
		out[i] = m.ContentSHA256
	}
	return out
}

// newest are the newest n messages of the conversation, the last one first.
func (d *dialogue) newest(n int) []postgres.ConversationItem {
	d.t.Helper()
	list, err := d.store.ConversationMessages(d.t.Context(), d.ID, d.id, d.Member, postgres.Cursor{}, n)
	require.NoError(d.t, err)
	require.Len(d.t, list, n)
	return list
}

// creates asks for a conversation with a number.
func (d *dialogue) creates(member uuid.UUID, name string) postgres.CreatedConversation {
	d.t.Helper()
	out, err := d.store.CreateConversation(d.t.Context(), postgres.NewConversation{TeamID: d.ID, ActorID: member, ChannelAccountID: d.account, Name: name,
		Phone: "+85291234567", ActionID: uuid.New()})
	require.NoError(d.t, err)
	return out
}

// A customer who has never written gets templates and nothing else (WIN-01,
// WAC-05): one without an editable part (MSG-07), and one with the name. They
// are human replies (D-WTG-3), and no claim on the conversation (WAC-07).
func TestEX133TemplatesGoWhereNothingElseMay(t *testing.T) {
	t.Parallel()
	d := &dialogue{hall: newHall(t)}
	require.NoError(t, d.sim.AddTemplates(simulator.Template{WABAID: "w1", Name: "hello", Language: "zh_HK"},
		simulator.Template{WABAID: "w1", Name: "order", Language: "zh_HK", BodyParams: 1}))
	tom := uuid.New()
	d.Exec(`INSERT INTO members (id, team_id, name, role) VALUES ($1, $2, 'Tom', 'cs_agent')`, tom, d.ID)
	d.id = d.creates(d.Member, "Chan").ID
	_, err := d.store.SendConversationMessage(t.Context(), postgres.NewConversationMessage{ID: uuid.New(), TeamID: d.ID, ConversationID: d.id, ActorID: d.Member,
		Contents: []omniflow.Content{{Kind: omniflow.Text, Text: "您好"}}})
	require.ErrorContains(t, err, string(omniflow.WindowTemplateOnly))
	d.send(omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "hello", Language: "zh_HK"}}, uuid.Nil)
	d.send(omniflow.Content{Kind: omniflow.TemplateKind, Template: &omniflow.Template{Name: "order", Language: "zh_HK", Params: []string{omniflow.CustomerName}}}, uuid.Nil)
	truth := d.delivered(2)
	require.Equal(t, []string{simulator.TextSHA256(`{"components":null,"language":{"code":"zh_HK"},"name":"hello"}`),
		simulator.TextSHA256(`{"components":[{"parameters":[{"text":"Chan","type":"text"}],"type":"body"}],"language":{"code":"zh_HK"},"name":"order"}`)}, contents(truth))
	require.Equal(t, "85291234567", truth[0].Recipient)
	require.Equal(t, "order", d.newest(1)[0].Text)
	d.await("they are replies", func() bool {
		return d.count(`SELECT count(*) FROM conversations WHERE team_id = $1 AND last_human_reply_at IS NOT NULL`) == 1
	})
	asked := d.creates(tom, "Mr Chan")
	require.Equal(t, []any{omniflow.ExistsAskTakeover, d.id, omniflow.Handling, "Jess"}, []any{asked.Result, asked.ID, asked.State, asked.FollowerName})
	require.Equal(t, 1, d.count(`SELECT count(*) FROM contacts WHERE team_id = $1 AND name = 'Mr Chan'`), "WAC-08")
}

// A picture goes with its caption, and a saved reply as its messages, in order
// (RPL-02).
func TestRPL02APictureAndASavedReplyArrive(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	file := omniflow.Media{ID: uuid.New(), Kind: omniflow.Image, MIME: "image/png", Name: "海報.png", Bytes: 8, SHA256: "s"}
	require.NoError(t, d.store.SaveMedia(t.Context(), d.ID, d.Member, file))
	picture := omniflow.Content{Kind: omniflow.Image, MediaID: file.ID, Media: &file}
	captioned := picture
	captioned.Text = "新品"
	d.send(captioned, uuid.Nil)
	d.send(omniflow.Content{Kind: omniflow.SavedReply, SavedReplyID: uuid.New(), Contents: []omniflow.Content{{Kind: omniflow.Text, Text: "門市地址"}, picture}}, uuid.Nil)
	png, err := oneFile{}.Read(t.Context(), file.ID)
	require.NoError(t, err)
	sum := sha256.Sum256(png)
	id := hex.EncodeToString(sum[:])
	require.Equal(t, []string{simulator.TextSHA256(`{"image":{"caption":"新品","id":"` + id + `"}}`), simulator.TextSHA256("門市地址"),
		simulator.TextSHA256(`{"image":{"id":"` + id + `"}}`)}, contents(d.delivered(3)))
	var texts []string
	for _, m := range d.newest(3) {
		texts = append(texts, m.Text)
	}
	require.Equal(t, []string{"", "門市地址", "新品"}, texts)
}

// An agent answers one message of the customer's and one of the team's own.
func TestQUO02AnAnswerNamesTheMessage(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	theirs := d.newest(1)[0]
	ours := d.send(omniflow.Content{Kind: omniflow.Text, Text: "1"}, theirs.ID)
	first := d.delivered(1)[0]
	d.send(omniflow.Content{Kind: omniflow.Text, Text: "2"}, ours)
	truth := d.delivered(2)
	require.NotEmpty(t, theirs.ProviderID)
	require.Equal(t, []string{theirs.ProviderID, first.ProviderID}, []string{truth[0].Quoted, truth[1].Quoted})
	list := d.newest(2)
	require.Equal(t, []string{first.ProviderID, theirs.ProviderID}, []string{list[0].QuotedID, list[1].QuotedID})
}

// What the customer gets and what the console shows is the name; what only
// looks like the variable is a text (VAR-01, VAR-02, D-VAR-1).
func TestEX132TheCustomerGetsTheName(t *testing.T) {
	t.Parallel()
	d := newDialogue(t)
	d.Exec(`UPDATE contacts SET name = '王小明' WHERE team_id = $1`, d.ID)
	d.sends("您好 {{system:customer_name}}! {{system:customer}} {{ system:customer_name }}")
	const got = "您好 王小明! {{system:customer}} {{ system:customer_name }}"
	require.Equal(t, []string{simulator.TextSHA256(got)}, contents(d.delivered(1)))
	d.Exec(`UPDATE contacts SET name = '陳小姐' WHERE team_id = $1`, d.ID)
	require.Equal(t, got, d.newest(1)[0].Text)
}
