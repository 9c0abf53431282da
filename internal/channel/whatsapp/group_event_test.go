package whatsapp

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// told are the group events of one change, without what all have alike.
func told(t *testing.T, field, value string) []channel.GroupEvent {
	t.Helper()
	var out []channel.GroupEvent
	for _, e := range parse(t, hook(field, value)) {
		require.Equal(t, channel.EventGroup, e.Kind)
		require.Equal(t, phoneID, e.AccountID)
		require.Equal(t, at, e.At)
		require.Equal(t, e.Group.GroupID, e.GroupID)
		require.Equal(t, e.Group.User, e.Recipient)
		require.Nil(t, e.Fault)
		out = append(out, *e.Group)
	}
	return out
}

func TestParseGroupEvents(t *testing.T) {
	t.Parallel()
	const group = `"group_id":"Y2F"`
	refused := func(code string, reason omniflow.Code) channel.GroupEvent {
		return channel.GroupEvent{Fault: channel.Terminal(reason).Error(code, 0), Reason: reason}
	}
	with := func(e channel.GroupEvent, kind channel.GroupEventType, change func(*channel.GroupEvent)) channel.GroupEvent {
		e.Type = kind
		if change != nil {
			change(&e)
		}
		return e
	}
	made := channel.GroupEvent{Type: channel.GroupCreated, GroupID: "Y2F", RequestID: "r1", Subject: "S",
		InviteLink: "https://chat.whatsapp.com/A"}
	tests := []struct {
		name, field, groups string
		want                []channel.GroupEvent
	}{
		{"create ok", "group_lifecycle_update", `{` + group + `,"type":"group_create","request_id":"r1","subject":"S","invite_link":"https:\/\/chat.whatsapp.com\/A","join_approval_mode":"auto_approve",%s}`,
			[]channel.GroupEvent{made}},
		{"create ok as the OpenAPI sample has it", "group_lifecycle_update", `{` + group + `,"type":"group_create","request_id":"r1","subject":"S","description":"D","invite_link":"https:\/\/chat.whatsapp.com\/A","added_participants":[{"wa_id":886912345678}],"errors":[{"code":"131201"}],%s}`,
			[]channel.GroupEvent{with(made, channel.GroupCreated, func(e *channel.GroupEvent) { e.Description = "D" }),
				{Type: channel.GroupMemberJoined, GroupID: "Y2F", RequestID: "r1", User: "886912345678"}}},
		{"create fail", "group_lifecycle_update", `{"type":"group_create","request_id":"r1","subject":"S","description":"D","errors":[{"code":131214,"message":"x","title":"y","error_data":{"details":"z"}}],%s}`,
			[]channel.GroupEvent{with(refused("131214", omniflow.GroupCreationDisabled), channel.GroupCreateFailed, func(e *channel.GroupEvent) {
				e.RequestID, e.Subject, e.Description = "r1", "S", "D"
			})}},
		{"create fail, unknown error is final", "group_lifecycle_update", `{` + group + `,"type":"group_create","request_id":"r1","errors":[{"code":"131000"}],%s}`,
			[]channel.GroupEvent{with(refused("131000", omniflow.ProviderRejected), channel.GroupCreateFailed, func(e *channel.GroupEvent) {
				e.GroupID, e.RequestID = "Y2F", "r1"
			})}},
		{"delete ok", "group_lifecycle_update", `{` + group + `,"type":"group_delete","request_id":"r1",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupDeleted, GroupID: "Y2F", RequestID: "r1"}}},
		{"delete fail", "group_lifecycle_update", `{` + group + `,"type":"group_delete","request_id":"r1","errors":[{"code":131041}],%s}`,
			[]channel.GroupEvent{with(refused("131041", omniflow.NotFound), channel.GroupDeleteFailed, func(e *channel.GroupEvent) {
				e.GroupID, e.RequestID = "Y2F", "r1"
			})}},
		{"joined by link", "group_participants_update", `{` + group + `,"type":"group_participants_add","reason":"invite_link","added_participants":[{"wa_id":"886912345678"}],%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberJoined, GroupID: "Y2F", User: "886912345678"}}},
		{"approved in bulk, the other spellings", "group_participant_update", `{` + group + `,"type":"group_add_participants","added_participants":[{"input":"+886 912-345678","wa_id":"886912345678"},{"input":"+886912345679"},{"user_id":"TW.1349"},{}],%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberJoined, GroupID: "Y2F", User: "886912345678"},
				{Type: channel.GroupMemberJoined, GroupID: "Y2F", User: "886912345679"},
				{Type: channel.GroupMemberJoined, GroupID: "Y2F", User: "TW.1349"}}},
		{"join request created", "group_participants_update", `{` + group + `,"type":"group_join_request_created","join_request_id":"j1","wa_id":"886912345678","reason":"invite_link",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupJoinRequested, GroupID: "Y2F", User: "886912345678", JoinRequestID: "j1"}}},
		{"join request revoked", "group_participants_update", `{` + group + `,"type":"group_join_request_revoked","join_request_id":"j1","wa_id":"886912345678",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupJoinRevoked, GroupID: "Y2F", User: "886912345678", JoinRequestID: "j1"}}},
		{"removed by us", "group_participants_update", `{` + group + `,"type":"group_participants_remove","request_id":"r1","removed_participants":[{"input":"+886912345678"}],"initiated_by":"business",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberRemoved, GroupID: "Y2F", RequestID: "r1", User: "886912345678"}}},
		{"removed in part", "group_participants_update", `{` + group + `,"type":"group_remove_participants","request_id":"r1","removed_participants":[{"input":"+886912345678"}],"failed_participants":[{"input":"+886912345679","errors":[{"code":131203}]},{"input":"+886912345670","errors":[{"code":131212}]},{"input":"+886912345671"}],"errors":[{"code":131201}],%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberRemoved, GroupID: "Y2F", RequestID: "r1", User: "886912345678"},
				with(refused("131203", omniflow.GroupTermsOutdated), channel.GroupRemoveFailed, func(e *channel.GroupEvent) {
					e.GroupID, e.RequestID, e.User = "Y2F", "r1", "886912345679"
				}),
				{Type: channel.GroupMemberRemoved, GroupID: "Y2F", RequestID: "r1", User: "886912345670"},
				with(refused("131000", omniflow.ProviderRejected), channel.GroupRemoveFailed, func(e *channel.GroupEvent) {
					e.GroupID, e.RequestID, e.User = "Y2F", "r1", "886912345671"
				})}},
		{"none removed", "group_participants_update", `{` + group + `,"type":"group_participants_remove","request_id":"r1","failed_participants":[{"input":"+886912345678"}],"errors":[{"code":131207}],%s}`,
			[]channel.GroupEvent{with(refused("131207", omniflow.GroupSuspended), channel.GroupRemoveFailed, func(e *channel.GroupEvent) {
				e.GroupID, e.RequestID, e.User = "Y2F", "r1", "886912345678"
			})}},
		{"left", "group_participants_update", `{` + group + `,"type":"group_participants_remove","removed_participants":[{"wa_id":"886912345678"}],"initiated_by":"participant",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberLeft, GroupID: "Y2F", User: "886912345678"}}},
		{"left, it does not say by whom", "group_participants_update", `{` + group + `,"type":"group_participants_remove","removed_participants":[{"wa_id":"886912345678"}],%s}`,
			[]channel.GroupEvent{{Type: channel.GroupMemberLeft, GroupID: "Y2F", User: "886912345678"}}},
		{"settings in part", "group_settings_update", `{` + group + `,"type":"group_settings_update","request_id":"r1","group_subject":{"text":"S","update_successful":"true"},"group_description":{"text":"D","update_successful":false,"errors":[{"code":131009}]},"profile_picture":{"mime_type":"image/jpeg","sha256":"x","update_successful":true},%s}`,
			[]channel.GroupEvent{{Type: channel.GroupSettingsUpdated, GroupID: "Y2F", RequestID: "r1", Subject: "S"},
				with(refused("131009", omniflow.ProviderRejected), channel.GroupSettingsFailed, func(e *channel.GroupEvent) {
					e.GroupID, e.RequestID, e.Description = "Y2F", "r1", "D"
				})}},
		{"settings failed", "group_settings_update", `{` + group + `,"type":"group_settings_update","request_id":"r1","profile_picture":{"update_successful":false,"errors":[{"code":131209}]},"errors":[{"code":131201}],%s}`,
			[]channel.GroupEvent{with(refused("131209", omniflow.GroupPictureInvalid), channel.GroupSettingsFailed, func(e *channel.GroupEvent) {
				e.GroupID, e.RequestID = "Y2F", "r1"
			})}},
		{"suspended", "group_status_update", `{` + group + `,"type":"group_suspend",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupSuspended, GroupID: "Y2F"}}},
		{"restored", "group_status_update", `{` + group + `,"type":"group_suspend_cleared",%s}`,
			[]channel.GroupEvent{{Type: channel.GroupRestored, GroupID: "Y2F"}}},
	}
	for _, test := range tests {
		t.Run("section 3.6 "+test.name, func(t *testing.T) {
			t.Parallel()
			for _, stamp := range []string{`"timestamp":"1739321024"`, `"timestamp":1739321024`} {
				one := fmt.Sprintf(test.groups, stamp)
				require.Equal(t, test.want, told(t, test.field, `"groups":[`+one+`]`))
				require.Equal(t, append(test.want, test.want...), told(t, test.field, `"groups":[`+one+`,`+one+`]`))
			}
		})
	}
}

// Samples put initiated_by inside the group or beside it (section 3.6).
func TestParseWhoEndedAMembership(t *testing.T) {
	t.Parallel()
	const inside, beside, request = 1, 2, 4
	for _, test := range []struct {
		by    string
		where int
		want  channel.GroupEventType
	}{
		{"business", inside, channel.GroupMemberRemoved}, {"business", beside, channel.GroupMemberRemoved},
		{"participant", inside, channel.GroupMemberLeft}, {"participant", beside, channel.GroupMemberLeft},
		{"participant", inside | request, channel.GroupMemberLeft}, {"participant", beside | request, channel.GroupMemberLeft},
		{"somebody", inside | request, channel.GroupMemberRemoved}, {"", request, channel.GroupMemberRemoved},
		{"", 0, channel.GroupMemberLeft},
	} {
		g, v := `{"timestamp":1739321024,"group_id":"Y2F","type":"group_participants_remove","removed_participants":[{"wa_id":"1"}]`, ``
		if test.where&request != 0 {
			g += `,"request_id":"r1"`
		}
		if test.where&inside != 0 {
			g += `,"initiated_by":"` + test.by + `"`
		}
		if test.where&beside != 0 {
			v = `"initiated_by":"` + test.by + `",`
		}
		events := told(t, "group_participants_update", v+`"groups":[`+g+`}]`)
		require.Len(t, events, 1)
		require.Equal(t, test.want, events[0].Type, "%+v", test)
	}
}

func TestParseGroupOther(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string]string{
		"a type not seen yet":       `[{"type":"group_renamed","group_id":"Y2F"}]`,
		"neither made nor refused":  `[{"type":"group_create","request_id":"r1"}]`,
		"nobody joined":             `[{"type":"group_participants_add","group_id":"Y2F"}]`,
		"no object":                 `["x"]`,
		"no groups":                 `[]`,
		"a list that is an object":  `{"type":"group_suspend"}`,
		"a member who is no object": `[{"type":"group_participants_add","group_id":"Y2F","added_participants":["1"]}]`,
	} {
		events := parse(t, hook("group_lifecycle_update", `"groups":`+groups))
		require.Len(t, events, 1, name)
		require.Equal(t, channel.EventOther, events[0].Kind, name)
	}
}

// A message in a group names the group and its writer (section 4.7).
func TestParseGroupMessage(t *testing.T) {
	t.Parallel()
	events := parse(t, hook("messages",
		`"messages":[{"from":"886912345678","id":"wamid.2","group_id":"Y2F","timestamp":"1739321024","type":"text","text":{"body":"hi"}}]`))
	require.Equal(t, []channel.Event{{
		Kind: channel.EventMessage, AccountID: phoneID, ProviderID: "wamid.2", Recipient: "886912345678",
		Text: "hi", MessageType: "text", At: time.Unix(1739321024, 0).UTC(), GroupID: "Y2F",
	}}, events)
}
