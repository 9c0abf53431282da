package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type preflightInput struct {
	PageInput
	Body omniflow.BroadcastRequest
}

type preflightBody struct {
	WouldStart bool            `json:"would_start" doc:"Whether the same request would be accepted now."`
	Problem    *Problem        `json:"problem,omitempty" doc:"Why not."`
	Recipients int             `json:"recipients"`
	Eligible   int             `json:"eligible"`
	Rows       int             `json:"rows" doc:"Ledger rows that would be sent."`
	Lanes      []preflightLane `json:"lanes"`
	Items      []verdictBody   `json:"items" doc:"One page of verdicts."`
	Next       string          `json:"next" doc:"Empty on the last page."`
}

type preflightLane struct {
	ChannelAccountID uuid.UUID        `json:"channel_account_id"`
	Channel          omniflow.Channel `json:"channel"`
	AccountName      string           `json:"account_name"`
	Recipients       int              `json:"recipients"`
	Eligible         int              `json:"eligible"`
	Skipped          []reasonBody     `json:"skipped" doc:"By reason, most frequent first."`
	Rows             int              `json:"rows"`
	Usage            int              `json:"usage" doc:"What the provider counts: LINE recipients, the others calls."`
	Quota            quotaBody        `json:"quota"`
	ExpectedFinish   *time.Time       `json:"expected_finish" doc:"At the rate in force now, were it to start now or at start_at; null while the account is stopped."`
	StopCode         string           `json:"stop_code" doc:"Why the account sends nothing now."`
	NextStep         string           `json:"next_step" doc:"What a person should do about that."`
	ClosedUntil      *time.Time       `json:"closed_until"`
}

type reasonBody struct {
	Code       omniflow.Code `json:"code"`
	Recipients int           `json:"recipients"`
}

type quotaBody struct {
	State  omniflow.QuotaState `json:"state" doc:"unknown (never read), unlimited, enough or short."`
	Limit  int                 `json:"limit,omitempty"`
	Used   int                 `json:"used,omitempty" doc:"As the provider last said; approximate."`
	ReadAt *time.Time          `json:"read_at,omitempty"`
}

type verdictBody struct {
	ConversationID   uuid.UUID        `json:"conversation_id"`
	CustomerID       string           `json:"customer_id"`
	Channel          omniflow.Channel `json:"channel"`
	ChannelAccountID uuid.UUID        `json:"channel_account_id"`
	Verdict          string           `json:"verdict" doc:"eligible, or the reason for which the recipient would be skipped."`
}

type preflightOutput struct{ Body preflightBody }

func (s *service) addPreflight() {
	register(s, route{method: http.MethodPost, path: "/v1/broadcasts:preflight", id: "preflight-broadcast", access: memberOnly,
		summary: "Tell what a broadcast would do, without sending anything"}, s.preflight)
}

// preflight judges a request as its start and its plan would. What cannot be
// planned at all is refused as by the start; what the start refuses for its
// recipients or channels is told beside the verdicts.
func (s *service) preflight(ctx context.Context, in *preflightInput) (*preflightOutput, error) {
	who, request := identityOf(ctx), in.Body
	if request.Client == "" {
		request.Client = omniflow.Web
	}
	if no := omniflow.PermitBroadcast(who.Actor); no != nil {
		return nil, no
	}
	if no := request.Validate(); no != nil {
		return nil, no
	}
	q := postgres.PreflightQuery{TeamID: who.TeamID, ActorID: who.MemberID, Request: request, AfterPlace: -1, Limit: in.Limit}
	if in.After != "" {
		var err error
		if q.AfterAccount, q.AfterPlace, err = readPlace(in.After); err != nil {
			return nil, err
		}
	}
	out := &preflightOutput{Body: preflightBody{WouldStart: true, Lanes: []preflightLane{}}}
	_, err := s.checkBroadcast(ctx, who, request)
	var no *omniflow.Refusal
	switch {
	case errors.As(err, &no):
		out.Body.WouldStart, out.Body.Problem = false, ofRefusal(no)
		q.Barred, q.BarredCode = barred(no)
	case err != nil:
		return nil, err
	}
	p, err := s.store.Preflight(ctx, q)
	if err != nil {
		return nil, err
	}
	s.fillPreflight(&out.Body, p, request, in.Limit)
	return out, nil
}

// barred are the channels that a refusal of the content is about.
func barred(no *omniflow.Refusal) ([]omniflow.Channel, omniflow.Code) {
	switch no.Code {
	case omniflow.BroadcastContentUnsupported, omniflow.MessageTooLong, omniflow.MediaTooLarge, omniflow.MediaTypeUnsupported, omniflow.MediaKindUnsupported:
		return no.Channels, no.Code
	}
	return nil, ""
}

func (s *service) fillPreflight(out *preflightBody, p postgres.Preflight, r omniflow.BroadcastRequest, limit int) {
	from := s.now()
	if r.StartAt != nil {
		from = *r.StartAt
	}
	for _, l := range p.Lanes {
		out.Recipients += l.Recipients
		out.Eligible += l.Eligible
		out.Rows += l.Rows
		out.Lanes = append(out.Lanes, showPreflightLane(l, from, r.Hours))
	}
	out.Items = make([]verdictBody, len(p.Verdicts))
	for i, v := range p.Verdicts {
		out.Items[i] = verdictBody{ConversationID: v.ConversationID, CustomerID: v.CustomerID, Channel: v.Channel,
			ChannelAccountID: v.ChannelAccountID, Verdict: string(v.Code)}
		if v.Code == "" {
			out.Items[i].Verdict = "eligible"
		}
	}
	out.Next = nextAfter(p.Verdicts, limit, func(v postgres.Verdict) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", v.ChannelAccountID, v.Place))
	})
}

func showPreflightLane(l postgres.PreflightLane, from time.Time, hours *omniflow.Hours) preflightLane {
	out := preflightLane{ChannelAccountID: l.ChannelAccountID, Channel: l.Channel, AccountName: l.AccountName, Recipients: l.Recipients,
		Eligible: l.Eligible, Skipped: []reasonBody{}, Rows: l.Rows, Usage: l.Rows, StopCode: l.StopCode, ClosedUntil: l.ClosedUntil,
		NextStep: omniflow.Advice(l.Channel, l.StopCode)}
	if l.Channel == omniflow.LINE {
		out.Usage = l.Eligible
	}
	out.Quota = quotaBody{State: omniflow.QuotaFor(l.Quota, out.Usage)}
	if q := l.Quota; q != nil {
		out.Quota.Limit, out.Quota.Used, out.Quota.ReadAt = q.Limit, q.Used, &q.ReadAt
	}
	if l.StopCode == "" {
		if out.ExpectedFinish = omniflow.FinishAt(l.Rows, l.BulkRate, l.Limiter, l.ClosedUntil, from); out.ExpectedFinish != nil {
			at := hours.After(from, out.ExpectedFinish.Sub(from))
			out.ExpectedFinish = &at
		}
	}
	for code, n := range l.Codes {
		out.Skipped = append(out.Skipped, reasonBody{Code: code, Recipients: n})
	}
	slices.SortFunc(out.Skipped, func(a, b reasonBody) int {
		if a.Recipients != b.Recipients {
			return b.Recipients - a.Recipients
		}
		return strings.Compare(string(a.Code), string(b.Code))
	})
	return out
}
