package truth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
)

// The template by which a team invites to groups, as teams are set at first.
const (
	inviteTemplate = "group_invite_link"
	inviteLanguage = "en"
)

// AllowGroups registers the template that invites to groups with omniflow and
// with the simulators, for the WhatsApp business account of twin.
func (s Simulators) AllowGroups(ctx context.Context, platform *apiclient.Client, teamID string, twin simulator.Account) error {
	_, err := platform.CreateTemplate(ctx, teamID, apiclient.NewTemplate{WABAID: twin.WABAID, Name: inviteTemplate, Language: inviteLanguage, BodyParams: 1})
	if err != nil {
		return fmt.Errorf("register the invitation: %w", err)
	}
	return s.call(ctx, http.MethodPost, "/_sim/templates",
		simulator.Template{WABAID: twin.WABAID, Name: inviteTemplate, Language: inviteLanguage, BodyParams: 1}, nil)
}

// SetGroups says how the groups of a number behave.
func (s Simulators) SetGroups(ctx context.Context, g simulator.GroupSettings) error {
	return s.call(ctx, http.MethodPut, "/_sim/groups/settings", g, nil)
}

// SetGroupFaults says how the next group calls of a number go wrong.
func (s Simulators) SetGroupFaults(ctx context.Context, f simulator.GroupFaults) error {
	return s.call(ctx, http.MethodPut, "/_sim/groups/faults", f, nil)
}

// AddGroupUsers says how people take invitations of a number.
func (s Simulators) AddGroupUsers(ctx context.Context, u simulator.GroupUsers) error {
	return s.call(ctx, http.MethodPost, "/_sim/groups/users", u, nil)
}

// Groups lists the groups that really came to be at a number.
func (s Simulators) Groups(ctx context.Context, a Account) ([]simulator.GroupTruth, error) {
	var all, ours []simulator.GroupTruth
	if err := s.call(ctx, http.MethodGet, "/_sim/groups", nil, &all); err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.ExternalID == a.ExternalID {
			ours = append(ours, g)
		}
	}
	return ours, nil
}

// GroupDeliveries lists what reached the members of the groups of a number.
func (s Simulators) GroupDeliveries(ctx context.Context, a Account) ([]simulator.GroupDelivery, error) {
	var all, ours []simulator.GroupDelivery
	if err := s.call(ctx, http.MethodGet, "/_sim/groups/deliveries", nil, &all); err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.ExternalID == a.ExternalID {
			ours = append(ours, d)
		}
	}
	return ours, nil
}

// GroupCalls counts the group calls of a number by kind.
func (s Simulators) GroupCalls(ctx context.Context, a Account) (map[simulator.GroupOperation]int, error) {
	var counts map[simulator.GroupOperation]int
	err := s.call(ctx, http.MethodGet, "/_sim/groups/calls?"+url.Values{"external_id": {a.ExternalID}}.Encode(), nil, &counts)
	return counts, err
}

// InGroup lets a person do something in a group: join, request, revoke, leave,
// or send a text.
func (s Simulators) InGroup(ctx context.Context, groupID, act, user, text string) error {
	body := struct {
		User string `json:"user"`
		Text string `json:"text"`
	}{user, text}
	return s.call(ctx, http.MethodPost, "/_sim/groups/"+url.PathEscape(groupID)+"/"+act, body, nil)
}
