package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

// startBudget is how long an accepted request waits for its run to start; the
// relay starts it otherwise.
const startBudget = 2 * time.Second

type createBroadcastInput struct {
	Body omniflow.BroadcastRequest
}

type acceptedOutput struct {
	Body struct {
		ID         uuid.UUID               `json:"id"`
		WorkflowID string                  `json:"workflow_id"`
		State      omniflow.BroadcastState `json:"state"`
	}
}

// BroadcastPath is the path of one broadcast.
type BroadcastPath struct {
	ID uuid.UUID `path:"id"`
}

type broadcastOutput struct{ Body broadcastBody }

type listBroadcastsInput struct{ PageInput }

type broadcastListOutput struct{ Body listBody[broadcastBody] }

func (s *service) addBroadcasts() {
	register(s, route{method: http.MethodPost, path: "/v1/broadcasts", id: "create-broadcast", summary: "Send a broadcast",
		access: memberOnly, status: http.StatusAccepted}, s.createBroadcast)
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts", id: "list-broadcasts", summary: "List broadcasts, newest first",
		access: memberOnly}, s.listBroadcasts)
	register(s, route{method: http.MethodGet, path: "/v1/broadcasts/{id}", id: "get-broadcast", summary: "Show a broadcast", access: memberOnly}, s.getBroadcast)
}

// createBroadcast checks a request against every rule that can be checked
// before the send, then stores it with the promise of its run.
func (s *service) createBroadcast(ctx context.Context, in *createBroadcastInput) (*acceptedOutput, error) {
	who, request := identityOf(ctx), in.Body
	if no := omniflow.PermitBroadcast(who.Actor); no != nil {
		return nil, no
	}
	if request.Client == "" {
		request.Client = omniflow.Web
	}
	audience, err := s.checkBroadcast(ctx, who, request)
	if err != nil {
		return nil, err
	}
	b, err := newBroadcast(newResourceID(ctx), who, request, audience)
	if err != nil {
		return nil, err
	}
	if err := s.accept(ctx, b); err != nil {
		return nil, err
	}
	out := &acceptedOutput{}
	out.Body.ID, out.Body.WorkflowID, out.Body.State = b.ID, b.WorkflowID, b.Request.FirstState()
	return out, nil
}

// accept stores a broadcast with the promise of its run, and tries to keep it.
func (s *service) accept(ctx context.Context, b postgres.NewBroadcast) error {
	start, err := s.store.CreateBroadcast(ctx, b)
	if err != nil || start == nil {
		return err
	}
	if err := s.keepPromise(ctx, *start, startBudget); err != nil {
		s.log.WarnContext(ctx, "start run later", "workflow_id", b.WorkflowID, "error", err)
	}
	return nil
}

// checkBroadcast is every rule of section 17 that the API can check (SYS-02).
// It freezes what the messages of r name.
func (s *service) checkBroadcast(ctx context.Context, who identity, r omniflow.BroadcastRequest) (postgres.AudienceCount, error) {
	var none postgres.AudienceCount
	if no := r.Validate(); no != nil {
		return none, no
	}
	if no := r.CheckStart(s.now()); no != nil {
		return none, no
	}
	if err := s.freezeHours(ctx, who.TeamID, r.Hours); err != nil {
		return none, err
	}
	facts, err := s.freeze(ctx, who, r.Messages)
	if err != nil {
		return none, err
	}
	audience, err := s.store.CountAudience(ctx, who.TeamID, who.MemberID, r.Audience)
	if err != nil {
		return none, err
	}
	if named := distinct(r.Audience.ConversationIDs); audience.Total < named {
		return none, omniflow.Refuse(omniflow.RecipientNotAllowed, "BRD-02", "%d of %d conversations are not mine to broadcast to", named-audience.Total, named)
	}
	check := omniflow.CheckAudience
	if r.Audience.Bound {
		check = omniflow.CheckBoundAudience
	}
	if no := check(audience.Channels, audience.WABAs, r.Kind); no != nil {
		return none, no
	}
	if no := checkContents(r, facts, audience); no != nil {
		return none, no
	}
	return audience, s.checkMessages(ctx, who.TeamID, r, audience)
}

func distinct(ids []uuid.UUID) int {
	seen := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		seen[id] = true
	}
	return len(seen)
}

// checkMessages measures texts for each channel and looks templates up.
func (s *service) checkMessages(ctx context.Context, teamID uuid.UUID, r omniflow.BroadcastRequest, audience postgres.AudienceCount) error {
	for _, m := range omniflow.Expand(r.Messages) {
		if m.Template != nil && m.Kind == omniflow.TemplateKind {
			if err := s.checkTemplate(ctx, teamID, audience.WABAs, *m.Template); err != nil {
				return err
			}
			continue
		}
		if no := checkEverywhere(m, audience); no != nil {
			return no
		}
	}
	return nil
}

// checkEverywhere measures one content for every channel of an audience. The
// refusal is the first channel's, and names all that refuse for the same reason.
func checkEverywhere(m omniflow.Content, audience postgres.AudienceCount) *omniflow.Refusal {
	var first *omniflow.Refusal
	for _, ch := range omniflow.BroadcastChannels {
		if audience.Channels[ch] == 0 {
			continue
		}
		switch no := checkContent(ch, m); {
		case no == nil:
		case first == nil:
			first = no
		case no.Code == first.Code:
			first.Channels, first.Detail = append(first.Channels, no.Channels...), first.Detail+"; "+no.Detail
		}
	}
	return first
}

// checkTemplate refuses a template that the recipients' WhatsApp business
// account does not have, that is not approved, or that takes other parameters.
func (s *service) checkTemplate(ctx context.Context, teamID uuid.UUID, wabas []string, t omniflow.Template) error {
	waba := ""
	if len(wabas) > 0 {
		waba = wabas[0]
	}
	known, err := s.store.FindTemplate(ctx, teamID, waba, t.Name, t.Language)
	switch {
	case isRefusal(err, omniflow.NotFound):
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the WhatsApp business account has no such template in this language")
	case err != nil:
		return err
	case known.State != templateApproved:
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the template is not approved: %s", known.State)
	case known.BodyParams != len(t.Params):
		return omniflow.Refuse(omniflow.TemplateInvalid, "BRD-10", "the template takes %d parameters, not %d", known.BodyParams, len(t.Params))
	}
	if no := t.CheckHeader(known.Header); no != nil {
		return no
	}
	return nil
}

func newBroadcast(id uuid.UUID, who identity, r omniflow.BroadcastRequest, audience postgres.AudienceCount) (postgres.NewBroadcast, error) {
	in := workflows.SendBroadcastInput{TeamID: who.TeamID, BroadcastID: id}
	if r.StartAt != nil {
		in.StartAt, in.LateAfter = r.StartAt.UTC(), r.LateAfter()
	}
	input, err := json.Marshal(in)
	if err != nil {
		return postgres.NewBroadcast{}, fmt.Errorf("write input: %w", err)
	}
	return postgres.NewBroadcast{ID: id, TeamID: who.TeamID, ActorID: who.MemberID, Request: r, Input: input,
		Workflow: temporalclient.SendBroadcast, WorkflowID: workflows.SendBroadcastID(who.TeamID, id),
		Summary: summaryOf(r.Kind, audience.Total, len(audience.Channels))}, nil
}

// summaryOf is "broadcast_message to 5,000 customers on 4 channels".
func summaryOf(kind omniflow.BroadcastKind, customers, channels int) string {
	return message.NewPrinter(language.English).Sprintf("%s to %d %s on %d %s", kind,
		customers, plural(customers, "customer"), channels, plural(channels, "channel"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// keepPromise starts a promised run and notes that it exists. Both survive the
// client's leaving; what is not done here is the relay's.
func (s *service) keepPromise(ctx context.Context, start postgres.Start, budget time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	if err := s.engine.Start(ctx, temporalclient.OutboxStart(start)); err != nil {
		return err
	}
	return s.store.KeepPromise(ctx, start)
}

func (s *service) getBroadcast(ctx context.Context, in *BroadcastPath) (*broadcastOutput, error) {
	if err := permitOperate(identityOf(ctx)); err != nil {
		return nil, err
	}
	out, err := s.showBroadcast(ctx, identityOf(ctx).TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	request, err := s.store.LoadRequest(ctx, identityOf(ctx).TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	out.Body.Messages, out.Body.Hours = request.Messages, request.Hours
	return out, nil
}

func (s *service) showBroadcast(ctx context.Context, teamID, id uuid.UUID) (*broadcastOutput, error) {
	b, err := s.store.LoadBroadcast(ctx, teamID, id)
	if err != nil {
		return nil, err
	}
	body, err := bodyOfBroadcast(b, s.now())
	return &broadcastOutput{Body: body}, err
}

func (s *service) listBroadcasts(ctx context.Context, in *listBroadcastsInput) (*broadcastListOutput, error) {
	if err := permitOperate(identityOf(ctx)); err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	broadcasts, err := s.store.ListBroadcasts(ctx, identityOf(ctx).TeamID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &broadcastListOutput{Body: listBody[broadcastBody]{Items: make([]broadcastBody, len(broadcasts))}}
	for i, b := range broadcasts {
		if out.Body.Items[i], err = bodyOfBroadcast(b, s.now()); err != nil {
			return nil, err
		}
	}
	out.Body.Next = nextAfter(broadcasts, in.Limit, func(b postgres.Broadcast) string { return b.ID.String() })
	return out, nil
}
