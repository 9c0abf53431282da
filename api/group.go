package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nyaruka/phonenumbers"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
)

type createGroupInput struct {
	Body struct {
		ChannelAccountID uuid.UUID `json:"channel_account_id" doc:"A WhatsApp account of the team."`
		Name             string    `json:"name" doc:"At most 128 bytes of UTF-8, no emoji (GRP-06)."`
		Description      string    `json:"description,omitempty" doc:"At most 2,048 bytes, no emoji (GRP-07)."`
		Members          []string  `json:"members" nullable:"false" doc:"1 to 8 numbers with country code, such as +886912345678."`
		ApprovalRequired bool      `json:"approval_required,omitempty" doc:"Who has the link asks to join, and is let in one by one."`
		Client           string    `json:"client,omitempty" enum:"web,app,legacy" default:"web" doc:"legacy is conversation 1.0, which has no groups."`
	}
}

type acceptedGroupOutput struct {
	Body struct {
		ID         uuid.UUID           `json:"id"`
		WorkflowID string              `json:"workflow_id"`
		State      omniflow.GroupState `json:"state"`
		Message    string              `json:"message" doc:"What the console shows."`
	}
}

// GroupPath is the path of one group.
type GroupPath struct {
	ID uuid.UUID `path:"id"`
}

type listGroupsInput struct {
	PageInput
	State omniflow.GroupState `query:"state" enum:"reviewing,created,failed" doc:"Without it: the conversation list, which leaves out groups under review (GRP-12)."`
}

type groupListOutput struct{ Body listBody[groupBody] }

type groupOutput struct{ Body groupDetailBody }

func (s *service) addGroups() {
	register(s, route{method: http.MethodPost, path: "/v1/groups", id: "create-group", summary: "Ask for a WhatsApp group", access: memberOnly,
		status: http.StatusAccepted}, s.createGroup)
	register(s, route{method: http.MethodGet, path: "/v1/groups", id: "list-groups", summary: "List WhatsApp groups, newest first", access: memberOnly}, s.listGroups)
	register(s, route{method: http.MethodGet, path: "/v1/groups/{id}", id: "get-group", summary: "Show a group and its members", access: memberOnly},
		func(ctx context.Context, in *GroupPath) (*groupOutput, error) { return s.showGroup(ctx, in.ID) })
	s.addGroupMembers()
	s.addGroupMoves()
	s.addGroupMessages()
	s.addGroupChanges()
	s.addGroupSettings()
}

// permitGroups refuses a team without WhatsApp groups and a role that may not
// use them (GRP-02).
func (s *service) permitGroups(ctx context.Context) (identity, postgres.Team, error) {
	who := identityOf(ctx)
	team, err := s.store.LoadTeam(ctx, who.TeamID)
	if err != nil {
		return who, team, err
	}
	if no := who.Actor.Permit(omniflow.UseWhatsAppGroups, omniflow.Relation{}); no != nil {
		return who, team, no
	}
	if !slices.Contains(team.Flags, string(omniflow.WhatsAppGroupEnabled)) {
		return who, team, omniflow.Refuse(omniflow.FeatureDisabled, "ROL-06", "WhatsApp groups are off for this team")
	}
	return who, team, nil
}

// createGroup checks a request and stores it with the promise of its run; the
// answer is "accepted", never the result (GRP-11).
func (s *service) createGroup(ctx context.Context, in *createGroupInput) (*acceptedGroupOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Client == "legacy" {
		r := omniflow.Refuse(omniflow.LegacyUnsupported, "GRP-01", "conversation 1.0 has no groups")
		r.Key = omniflow.TextLegacyConsoleUnsupported
		return nil, r
	}
	g := postgres.NewGroup{ID: newResourceID(ctx), TeamID: who.TeamID, ActorID: who.MemberID, ChannelAccountID: in.Body.ChannelAccountID,
		Name: omniflow.GroupText(in.Body.Name), Description: omniflow.GroupText(in.Body.Description), ApprovalRequired: in.Body.ApprovalRequired}
	if err := s.checkGroupAccount(ctx, g); err != nil {
		return nil, err
	}
	if no := firstRefusal(omniflow.CheckGroupName(g.Name), omniflow.CheckGroupDescription(g.Description)); no != nil {
		return nil, no
	}
	if g.Members, err = s.groupNumbers(who.TeamID, in.Body.Members); err != nil {
		return nil, err
	}
	start, err := s.store.CreateGroup(ctx, g)
	if err != nil {
		return nil, err
	}
	s.startSoon(ctx, start)
	out := &acceptedGroupOutput{}
	out.Body.ID, out.Body.WorkflowID, out.Body.State = g.ID, omniflow.CreateGroupID(g.TeamID, g.ID), omniflow.GroupReviewing
	out.Body.Message = omniflow.TextWAGroupCreating.Text()
	return out, nil
}

func firstRefusal(refusals ...*omniflow.Refusal) *omniflow.Refusal {
	for _, no := range refusals {
		if no != nil {
			return no
		}
	}
	return nil
}

// checkGroupAccount refuses an account that is not a WhatsApp account of the
// team (D-GRP-1).
func (s *service) checkGroupAccount(ctx context.Context, g postgres.NewGroup) error {
	account, err := s.store.LoadAccount(ctx, g.TeamID, g.ChannelAccountID)
	switch {
	case isRefusal(err, omniflow.NotFound):
		return omniflow.Refuse(omniflow.ChannelAccountInvalid, "GRP-05", "the team has no such channel account")
	case err != nil:
		return err
	case account.Channel != omniflow.WhatsApp:
		return omniflow.Refuse(omniflow.ChannelAccountInvalid, "D-GRP-1", "only a WhatsApp account can have groups, not one of %s", account.Channel)
	}
	return nil
}

// groupNumbers reads the numbers of a new group.
func (s *service) groupNumbers(teamID uuid.UUID, members []string) ([]postgres.NewGroupMember, error) {
	phones := make([]string, len(members))
	for i, text := range members {
		digits, no := readPhone(text)
		if no != nil {
			no.Detail = "members[" + string(rune('0'+min(i, 9))) + "]: " + no.Detail
			return nil, no
		}
		phones[i] = digits
	}
	if no := omniflow.CheckGroupMembers(phones); no != nil {
		return nil, no
	}
	out := make([]postgres.NewGroupMember, len(phones))
	for i, p := range phones {
		out[i] = postgres.NewGroupMember{Phone: p, Hash: s.phoneHash(teamID, p)}
	}
	return out, nil
}

// phoneHash stands for a number of a team in ids; the relay makes the same.
func (s *service) phoneHash(teamID uuid.UUID, digits string) string {
	return s.keys.Hash(teamID.String() + "/" + digits)
}

// readPhone reads a number with its country code as digits of E.164.
func readPhone(text string) (string, *omniflow.Refusal) {
	invalid := omniflow.Refuse(omniflow.PhoneInvalid, "GRP-08", "not a valid international number such as +886912345678")
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "+") || strings.ContainsFunc(text, func(r rune) bool { return r > '~' || 'A' <= r && r <= 'z' }) {
		return "", invalid
	}
	number, err := phonenumbers.Parse(text, "")
	if err != nil || number.GetExtension() != "" || !phonenumbers.IsPossibleNumber(number) {
		return "", invalid
	}
	return strings.TrimPrefix(phonenumbers.Format(number, phonenumbers.E164), "+"), nil
}

// startSoon starts a promised run within startBudget, or leaves it to the relay.
func (s *service) startSoon(ctx context.Context, start *postgres.Start) {
	if start == nil {
		return
	}
	if err := s.keepPromise(ctx, *start, startBudget); err != nil {
		s.log.WarnContext(ctx, "start run later", "workflow_id", temporalclient.OutboxStart(*start).WorkflowID, "error", err)
	}
}

func (s *service) listGroups(ctx context.Context, in *listGroupsInput) (*groupListOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	groups, err := s.store.ListGroups(ctx, postgres.GroupQuery{TeamID: who.TeamID, ViewerID: who.MemberID, State: in.State,
		Page: postgres.Page{After: after, Limit: in.Limit}})
	if err != nil {
		return nil, err
	}
	out := &groupListOutput{Body: listBody[groupBody]{Items: make([]groupBody, len(groups))}}
	for i, g := range groups {
		out.Body.Items[i] = bodyOfGroup(g, who.MemberID, s.now())
	}
	out.Body.Next = nextAfter(groups, in.Limit, func(g postgres.GroupView) string { return g.ID.String() })
	return out, nil
}

// showGroup shows one group of the asker's team.
func (s *service) showGroup(ctx context.Context, id uuid.UUID) (*groupOutput, error) {
	who, _, err := s.permitGroups(ctx)
	if err != nil {
		return nil, err
	}
	g, err := s.store.ShowGroup(ctx, who.TeamID, who.MemberID, id)
	if err != nil {
		return nil, err
	}
	return &groupOutput{Body: bodyOfGroupDetail(g, who.MemberID, s.now())}, nil
}

// seconds reads a number of seconds as a duration.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
