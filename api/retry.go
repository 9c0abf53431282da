package main

import (
	"context"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type retryInput struct {
	BroadcastPath
	Body struct {
		omniflow.RetryRequest
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

type retriedOutput struct {
	Body struct {
		ID         uuid.UUID               `json:"id"`
		WorkflowID string                  `json:"workflow_id"`
		State      omniflow.BroadcastState `json:"state"`
		RetryOf    uuid.UUID               `json:"retry_of"`
		Rows       int                     `json:"rows"`
		Reasons    []retryReason           `json:"reasons" doc:"Why these rows were not sent, most frequent first."`
	}
}

type retryReason struct {
	Code       omniflow.Code `json:"code"`
	Rows       int           `json:"rows"`
	Recipients int           `json:"recipients"`
	Mendable   bool          `json:"mendable" doc:"False: a retry will most likely fail for the same reason."`
}

func (s *service) addRetries() {
	register(s, route{method: http.MethodPost, path: "/v1/broadcasts/{id}:retry", id: "retry-broadcast", access: memberOnly, status: http.StatusAccepted,
		summary: "Send again what failed: a new broadcast over exactly those recipients, with the same contents"}, s.retryBroadcast)
}

// retryBroadcast accepts a broadcast that repeats rows of another, in the name
// of that one's sender: the recipients are his.
func (s *service) retryBroadcast(ctx context.Context, in *retryInput) (*retriedOutput, error) {
	who, retry := identityOf(ctx), in.Body.RetryRequest
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	source, err := s.store.LoadBroadcast(ctx, who.TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	request, err := s.checkRetry(ctx, source, retry)
	if err != nil {
		return nil, err
	}
	counts, err := s.store.CountRetry(ctx, who.TeamID, in.ID, retry)
	if err != nil {
		return nil, err
	}
	sender := identity{TeamID: who.TeamID, MemberID: source.ActorID}
	b, err := newBroadcast(newResourceID(ctx), sender, request, postgres.AudienceCount{})
	if err != nil {
		return nil, err
	}
	b.Summary, b.RetryOf, b.Retry = "retry of "+in.ID.String()+": "+string(retry.Scope), in.ID, retry
	b.By = postgres.By{ActorID: who.MemberID, Reason: in.Body.Reason}
	if err := s.accept(ctx, b); err != nil {
		return nil, err
	}
	out := &retriedOutput{}
	out.Body.ID, out.Body.WorkflowID, out.Body.State, out.Body.RetryOf = b.ID, b.WorkflowID, omniflow.BroadcastAccepted, in.ID
	for _, c := range counts {
		out.Body.Rows += c.Rows
		out.Body.Reasons = append(out.Body.Reasons, retryReason{Code: c.Code, Rows: c.Rows, Recipients: c.Recipients, Mendable: c.Code.RetryMends()})
	}
	return out, nil
}

// checkRetry gives the request of the new broadcast, or why there is none.
func (s *service) checkRetry(ctx context.Context, source postgres.Broadcast, retry omniflow.RetryRequest) (omniflow.BroadcastRequest, error) {
	request, err := s.store.LoadRequest(ctx, source.TeamID, source.ID)
	if err != nil {
		return request, err
	}
	request.StartAt, request.LateAfterSeconds = nil, 0
	if no := retry.Validate(request.Kind); no != nil {
		return request, no
	}
	sender, err := s.store.LoadActor(ctx, source.TeamID, source.ActorID)
	if err != nil {
		return request, err
	}
	if no := omniflow.PermitBroadcast(sender); no != nil {
		return request, no
	}
	if retry.Template == nil {
		return request, nil
	}
	if len(request.Messages) != 1 {
		return request, omniflow.Refuse(omniflow.TemplateInvalid, "BRD-09", "only a broadcast of one template can be retried with another")
	}
	request.Messages = []omniflow.Content{{Kind: omniflow.TemplateKind, Template: retry.Template}}
	if _, err := s.freeze(ctx, identity{TeamID: source.TeamID, MemberID: source.ActorID}, request.Messages); err != nil {
		return request, err
	}
	wabas, err := s.wabasOf(ctx, source)
	if err != nil {
		return request, err
	}
	return request, s.checkTemplate(ctx, source.TeamID, wabas, *retry.Template)
}

// wabasOf are the WhatsApp business accounts that a broadcast sends through.
func (s *service) wabasOf(ctx context.Context, b postgres.Broadcast) ([]string, error) {
	var out []string
	for _, l := range b.Lanes {
		account, err := s.store.LoadAccount(ctx, b.TeamID, l.ChannelAccountID)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, account.WABAID) {
			out = append(out, account.WABAID)
		}
	}
	return out, nil
}
