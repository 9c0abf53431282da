package main

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/config"
	"omniflow/internal/omniflow"
)

func TestGroupEventsHaveTheNamesOfTheChannel(t *testing.T) {
	t.Parallel()
	require.Equal(t, []channel.GroupEventType{channel.GroupCreated, channel.GroupCreateFailed, channel.GroupDeleted, channel.GroupDeleteFailed,
		channel.GroupMemberJoined, channel.GroupMemberLeft, channel.GroupMemberRemoved, channel.GroupRemoveFailed, channel.GroupJoinRequested,
		channel.GroupJoinRevoked, channel.GroupSettingsUpdated, channel.GroupSettingsFailed, channel.GroupSuspended, channel.GroupRestored},
		[]channel.GroupEventType{omniflow.OnGroupCreated, omniflow.OnGroupCreateFailed, omniflow.OnGroupDeleted, omniflow.OnGroupDeleteFailed,
			omniflow.OnMemberJoined, omniflow.OnMemberLeft, omniflow.OnMemberRemoved, omniflow.OnRemoveFailed, omniflow.OnJoinRequested,
			omniflow.OnJoinRevoked, omniflow.OnSettingsUpdated, omniflow.OnSettingsFailed, omniflow.OnSuspended, omniflow.OnRestored})
}

func TestAGroupEventIsSortedAsOne(t *testing.T) {
	t.Parallel()
	r := relay{channels: providers(config.Worker{}), log: slog.New(slog.DiscardHandler), hash: func(s string) string { return "hash of " + s }}
	in := r.read([]omniflow.InboxItem{item(omniflow.WhatsApp, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[
		{"field":"group_participants_update","value":{"messaging_product":"whatsapp","groups":[{"timestamp":"1767323045","group_id":"G",
			"type":"group_participants_add","reason":"invite_link","added_participants":[{"wa_id":"886911000001"},{"wa_id":"886911000002"}]}]}},
		{"field":"messages","value":{"statuses":[{"id":"wamid.1","status":"failed","timestamp":"1767323045","recipient_type":"group","recipient_id":"G",
			"recipient_participant_id":"886911000001","biz_opaque_callback_data":"m1.`+theMessage.String()+`.1","errors":[{"code":131026}]}]}}]}]}`)})
	require.Len(t, in.Groups, 2)
	g := in.Groups[1]
	require.Equal(t, []any{omniflow.OnMemberJoined, "G", "886911000002", "hash of " + theTeam.String() + "/886911000002"}, []any{g.Type, g.GroupID, g.User, g.UserHash})
	require.True(t, eventAt.Equal(g.At))
	require.Empty(t, in.Statuses, "one member did not get the message: the group did")
	require.Empty(t, in.Clues)
}
