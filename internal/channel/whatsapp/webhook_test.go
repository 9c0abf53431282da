package whatsapp

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

const phoneID = "106540352242922"

// hook wraps what a change of field holds into the envelope of section 4.3.
func hook(field, value string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":%q,"value":
		{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},%s}}]}]}`, field, phoneID, value)
}

func parse(t *testing.T, body []byte) []channel.Event {
	t.Helper()
	events, err := (&Client{}).Parse(body)
	require.NoError(t, err)
	for i := range events {
		require.NotEmpty(t, events[i].Raw)
		events[i].Raw = nil
	}
	return events
}

var (
	key = channel.Key{MessageID: uuid.MustParse("019a2b3c-0000-7000-8000-000000000001"), Attempt: 2}
	at  = time.Unix(1739321024, 0).UTC()
)

func TestParseStatuses(t *testing.T) {
	t.Parallel()
	base := channel.Event{
		Kind: channel.EventStatus, AccountID: phoneID, Key: key, ProviderID: "wamid.1", Recipient: "886912345678", At: at,
	}
	with := func(change func(*channel.Event)) channel.Event {
		e := base
		change(&e)
		return e
	}
	tests := []struct {
		name, fields string
		want         channel.Event
	}{
		{"section 4.6 sent", `"status":"sent","recipient_id":"886912345678"`,
			with(func(e *channel.Event) { e.State = omniflow.Sent })},
		{"section 4.6 delivered", `"status":"delivered","recipient_id":886912345678`,
			with(func(e *channel.Event) { e.State = omniflow.Received })},
		{"section 4.6 read", `"status":"read","recipient_id":"886912345678","news":{"of":["later"]}`,
			with(func(e *channel.Event) { e.State = omniflow.Read })},
		{"section 4.6 played", `"status":"played","recipient_id":"886912345678"`,
			with(func(e *channel.Event) { e.State = omniflow.Read })},
		{"section 4.6 group participant", `"status":"read","recipient_id":"Y2F","recipient_participant_id":"886900000001"`,
			with(func(e *channel.Event) { e.State, e.Recipient, e.GroupID = omniflow.Read, "886900000001", "Y2F" })},
		{"section 4.6 the other spelling", `"status":"read","recipient_id":"Y2F","participant_recipient_id":"886900000001"`,
			with(func(e *channel.Event) { e.State, e.Recipient, e.GroupID = omniflow.Read, "886900000001", "Y2F" })},
		{"section 4.6 group, one sent for all", `"status":"sent","recipient_type":"group","recipient_id":"Y2F"`,
			with(func(e *channel.Event) { e.State, e.Recipient, e.GroupID = omniflow.Sent, "", "Y2F" })},
		{"section 4.6 group, the type left out", `"status":"sent","recipient_id":"Y2F"`,
			with(func(e *channel.Event) { e.State, e.Recipient, e.GroupID = omniflow.Sent, "", "Y2F" })},
		{"section 4.7 business-scoped user as recipient", `"status":"sent","recipient_id":"TW.1349"`,
			with(func(e *channel.Event) { e.State, e.Recipient = omniflow.Sent, "TW.1349" })},
		{"section 4.6 group, one failed for all", `"status":"failed","recipient_type":"group","recipient_id":"Y2F","errors":[{"code":131207}]`,
			with(func(e *channel.Event) {
				e.State, e.Recipient, e.GroupID = omniflow.Failed, "", "Y2F"
				e.Fault = channel.Terminal(omniflow.GroupSuspended).Error("131207", 0)
			})},
		{"section 4.6 group, a user name", `"status":"delivered","recipient_type":"group","recipient_id":"Y2F","recipient_participant_user_id":"TW.1"`,
			with(func(e *channel.Event) { e.State, e.Recipient, e.GroupID = omniflow.Received, "TW.1", "Y2F" })},
		{"section 4.7 business-scoped user", `"status":"sent","recipient_user_id":"TW.1349"`,
			with(func(e *channel.Event) { e.State, e.Recipient = omniflow.Sent, "TW.1349" })},
		{"section 4.8 failed", `"status":"failed","recipient_id":"886912345678","errors":[{"code":131047,"title":"x"}]`,
			with(func(e *channel.Event) {
				e.State, e.Fault = omniflow.Failed, channel.Terminal(omniflow.WindowClosed).Error("131047", 0)
			})},
		{"failed without a reason", `"status":"failed","recipient_id":"886912345678"`,
			with(func(e *channel.Event) {
				e.State, e.Fault = omniflow.Failed, channel.Terminal(omniflow.ProviderRejected).Error("131000", 0)
			})},
		{"section 4.6 old status", `"status":"warning","recipient_id":"886912345678"`,
			channel.Event{Kind: channel.EventOther, AccountID: phoneID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, stamp := range []string{`"1739321024"`, `1739321024`} {
				events := parse(t, hook("messages", fmt.Sprintf(
					`"statuses":[{"id":"wamid.1","timestamp":%s,"biz_opaque_callback_data":%q,%s}]`, stamp, key, test.fields)))
				require.Equal(t, []channel.Event{test.want}, events)
			}
		})
	}
}

// Other programs send from the same number, with their own opaque data.
func TestParseForeignStatus(t *testing.T) {
	t.Parallel()
	for _, opaque := range []string{``, `,"biz_opaque_callback_data":"order 7"`, `,"biz_opaque_callback_data":7`} {
		events := parse(t, hook("messages", `"statuses":[{"id":"wamid.9","status":"sent","timestamp":"1739321024"`+opaque+`}]`))
		require.Len(t, events, 1)
		require.Equal(t, channel.EventStatus, events[0].Kind)
		require.True(t, events[0].Key.IsZero())
		require.Equal(t, "wamid.9", events[0].ProviderID)
	}
}

func TestParseOther(t *testing.T) {
	t.Parallel()
	message := `"messages":[{"from":"1","id":"wamid.2","timestamp":"1739321024",%s}]`
	for name, body := range map[string][]byte{
		"section 4.7 system":         hook("messages", fmt.Sprintf(message, `"type":"system","system":{"body":"x"}`)),
		"section 4.7 revoke":         hook("messages", fmt.Sprintf(message, `"type":"revoke","revoke":{}`)),
		"section 4.8 unbound error":  hook("messages", `"errors":[{"code":130429}]`),
		"section 4.9 template event": hook("message_template_status_update", `"event":"PAUSED"`),
		"a change that is no object": []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[7]}]}`),
		"a status that is no object": hook("messages", `"statuses":["x"]`),
	} {
		events := parse(t, body)
		require.Len(t, events, 1, name)
		require.Equal(t, channel.EventOther, events[0].Kind, name)
	}
}

// All entries, changes, statuses and messages of one POST, in order.
func TestParseBatch(t *testing.T) {
	t.Parallel()
	one := `{"field":"messages","value":{"metadata":{"phone_number_id":"7"},` +
		`"statuses":[{"id":"a","status":"sent","timestamp":"1"},{"id":"b","status":"read","timestamp":"1"}],` +
		`"messages":[{"id":"c","from":"1","timestamp":"1","type":"text"}]}}`
	events := parse(t, []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[`+one+`,`+one+`]},{"id":"2","changes":[`+one+`]}]}`))
	var ids string
	for _, e := range events {
		ids += e.ProviderID
	}
	require.Equal(t, "abcabcabc", ids)
}

func FuzzParse(f *testing.F) {
	f.Add(hook("messages", `"statuses":[{"id":"wamid.1","status":"failed","timestamp":1,"errors":[{"code":131026}]}]`))
	f.Add(hook("messages", `"messages":[{"from":"1","id":"wamid.2","timestamp":"1739321024","type":"text","text":{"body":"x"}}]`))
	f.Add(hook("group_participants_update", `"initiated_by":"business","groups":[{"timestamp":1,"group_id":"Y2F","type":"group_participants_remove",
		"removed_participants":[{"input":"1"}],"failed_participants":[{"wa_id":"2","errors":[{"code":131203}]}],"errors":[{"code":131201}]}]`))
	f.Add(hook("group_settings_update", `"groups":[{"type":"group_settings_update","group_subject":{"text":"S","update_successful":"false"}}]`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := (&Client{}).Parse(body)
		if err != nil {
			return
		}
		for _, e := range events {
			if e.Kind == channel.EventMessage && (e.Recipient == "" || e.ProviderID == "") {
				t.Errorf("half a message: %+v", e)
			}
			if (e.Kind == channel.EventGroup) != (e.Group != nil) || e.Group != nil && e.Group.Type == "" {
				t.Errorf("half a group event: %+v", e)
			}
			if (e.State == omniflow.Failed) != (e.Fault != nil) {
				t.Errorf("a failure without a fault: %+v", e)
			}
		}
	})
}
