package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

func TestEventsGoToTheAccountTheyAreAbout(t *testing.T) {
	t.Parallel()
	team, other, a, b, foreign := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
	r := &relay{}
	r.index.Store(&accountIndex{"whatsapp/1": {TeamID: team, ID: a}, "whatsapp/2": {TeamID: team, ID: b}, "whatsapp/3": {TeamID: other, ID: foreign}})
	posted := omniflow.InboxItem{TeamID: team, Channel: omniflow.WhatsApp, ChannelAccountID: a}
	for _, c := range []struct {
		name, external string
		account        uuid.UUID
		ok             bool
	}{
		{"its own", "1", a, true},
		{"another of the team, at one address", "2", b, true},
		{"another team's is not filed here", "3", foreign, false},
		{"another name of the account itself", "17841400000000000", a, true},
		{"none named", "", a, true},
	} {
		got, ok := r.route(posted, c.external)
		require.Equal(t, c.ok, ok, c.name)
		require.Equal(t, c.account, got.ChannelAccountID, c.name)
	}
}

func TestAStopCodeInAFailedStatusStopsTheAccount(t *testing.T) {
	t.Parallel()
	item := omniflow.InboxItem{TeamID: uuid.New(), Channel: omniflow.WhatsApp, ChannelAccountID: uuid.New()}
	key := channel.Key{MessageID: uuid.New(), Attempt: 1}
	var in omniflow.Intake
	addEvent(&in, item, channel.Event{Kind: channel.EventStatus, Key: key, State: omniflow.Failed,
		Fault: &channel.Error{Fault: channel.Misconfigured, Scope: channel.ScopeAccount, Code: "131042", Reason: omniflow.AccountStopped}})
	addEvent(&in, item, channel.Event{Kind: channel.EventStatus, Key: key, State: omniflow.Failed,
		Fault: &channel.Error{Fault: channel.Misconfigured, Scope: channel.ScopeTemplate, Code: "132015", Reason: omniflow.TemplatePaused}})
	addEvent(&in, item, channel.Event{Kind: channel.EventStatus, Key: key, State: omniflow.Failed,
		Fault: &channel.Error{Fault: channel.Rejected, Scope: channel.ScopeMessage, Code: "131026", Reason: omniflow.Unreachable}})
	require.Equal(t, []omniflow.Stop{
		{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, MessageID: key.MessageID, Code: "131042", Reason: omniflow.AccountStopped},
		{TeamID: item.TeamID, ChannelAccountID: item.ChannelAccountID, MessageID: key.MessageID, Template: true, Code: "132015", Reason: omniflow.TemplatePaused},
	}, in.Stops)
	require.Len(t, in.Statuses, 3)
}
