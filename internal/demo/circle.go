package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"omniflow/internal/apiclient"
	"omniflow/internal/simulator"
	"omniflow/internal/truth"
)

// The people of the demo's group, by what they do with the invitation.
const (
	whoJoins   = "+886911000001"
	whoAsks    = "+886911000002"
	whoIgnores = "+886911000003"
)

// circle is who talks in the group, and the number it belongs to: one of its
// own, so that the broadcast's books stay those of the broadcast.
type circle struct {
	agent   *apiclient.Client
	token   string
	mate    string // id of a second agent, who can be handed what the first one has
	account truth.Account
	group   string            // once it is asked for
	shown   map[string]string // what was printed about the group and each member
}

// newCircle makes the agent and the number. Its reviews and people are quick;
// the answer to the first create call is lost, and webhooks come twice and late.
func (s *scene) newCircle(ctx context.Context, sims truth.Simulators, apiURL string, seed uint64) (*circle, error) {
	member, err := s.platform.CreateMember(ctx, s.teamID, apiclient.NewMember{Name: "demo agent", Role: "cs_agent"})
	if err != nil {
		return nil, fmt.Errorf("create agent: %w", err)
	}
	token, err := s.platform.CreateToken(ctx, s.teamID, member.ID, 2*time.Hour)
	if err != nil {
		return nil, fmt.Errorf("create token: %w", err)
	}
	mate, err := s.platform.CreateMember(ctx, s.teamID, apiclient.NewMember{Name: "demo colleague", Role: "cs_agent"})
	if err != nil {
		return nil, fmt.Errorf("create colleague: %w", err)
	}
	twin := truth.NewTwin("whatsapp", 0)
	c := &circle{agent: s.platform.WithToken(token.Token), token: token.Token, mate: mate.ID, shown: map[string]string{}}
	if c.account, err = sims.Connect(ctx, s.platform, s.teamID, apiURL, "demo whatsapp groups", twin); err != nil {
		return nil, err
	}
	if err := sims.AllowGroups(ctx, s.platform, s.teamID, twin); err != nil {
		return nil, err
	}
	err = s.platform.SetGroupSettings(ctx, s.teamID, apiclient.GroupSettings{ReviewTimeoutSeconds: 60, InvitationTimeoutSeconds: 60,
		RemovalTimeoutSeconds: 30, InviteTemplate: "group_invite_link", InviteLanguage: "en"})
	if err != nil {
		return nil, fmt.Errorf("set how groups work: %w", err)
	}
	return c, c.trouble(ctx, sims, seed)
}

// trouble says how the provider and the people behave.
func (c *circle) trouble(ctx context.Context, sims truth.Simulators, seed uint64) error {
	settings := simulator.DefaultGroups()
	settings.ExternalID, settings.Seed = c.account.ExternalID, seed
	settings.CreateMinMS, settings.CreateMaxMS, settings.LateCreate = 800, 1200, 0
	settings.ChangeMinMS, settings.ChangeMaxMS, settings.ReactMinMS, settings.ReactMaxMS = 200, 500, 400, 800
	if err := sims.SetGroups(ctx, settings); err != nil {
		return err
	}
	err := sims.SetGroupFaults(ctx, simulator.GroupFaults{ExternalID: c.account.ExternalID,
		Next: []simulator.NextGroupFault{{Operation: simulator.GroupCreate, Fault: simulator.LostReset}}})
	if err != nil {
		return err
	}
	err = sims.AddGroupUsers(ctx, simulator.GroupUsers{ExternalID: c.account.ExternalID, Users: []simulator.GroupUser{
		{ID: whoAsks[1:], Behaviour: simulator.Asks}, {ID: whoIgnores[1:], Behaviour: simulator.IgnoresGroup}}})
	if err != nil {
		return err
	}
	hooks := simulator.DefaultWebhooks()
	hooks.Channel, hooks.ExternalID, hooks.Seed = simulator.WhatsApp, c.account.ExternalID, seed
	hooks.Duplicate, hooks.Reorder, hooks.Delivered, hooks.Read = 0.5, 0.2, 1, 1
	return sims.SetWebhooks(ctx, hooks)
}

// keepAgent writes what a shell needs to act as the demo's agent, and gives
// the file's name.
func (s *story) keepAgent() (string, error) {
	name := filepath.Join(filepath.Dir(s.file), "agent.sh")
	c := s.scene.circle
	return name, s.keep(name, c.token, "export GROUP="+c.group+" ACCOUNT="+c.account.ID+" COLLEAGUE="+c.mate,
		"export API=$OMNIFLOW_API_URL TEAM=$OMNIFLOW_TEAM ADMIN="+s.scene.adminToken,
		"export CONVERSATION="+s.scene.desk.silent().conversation+" SIMULATOR="+s.simulators+" LINE="+s.scene.desk.silent().account.ExternalID)
}

// keep writes a file that lets a shell act with a token, and more lines.
func (s *story) keep(name, token string, more ...string) error {
	lines := append(slices.Clone(s.shell), "export OMNIFLOW_TEAM="+s.scene.teamID+" OMNIFLOW_TOKEN="+token)
	lines = append(lines, more...)
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the environment: %w", err)
	}
	return nil
}
