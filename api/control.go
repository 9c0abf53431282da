package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
	"omniflow/internal/temporalclient"
	"omniflow/workflows"
)

// controlBudget is how long a control waits for the run to obey.
const controlBudget = 5 * time.Second

type controlInput struct {
	BroadcastPath
	Body struct {
		Reason           string    `json:"reason,omitempty" maxLength:"1000" doc:"Kept in the audit log."`
		ChannelAccountID uuid.UUID `json:"channel_account_id,omitempty" doc:"One lane; without it all of them."`
	}
}

type rateInput struct {
	BroadcastPath
	Body struct {
		ChannelAccountID uuid.UUID `json:"channel_account_id"`
		RatePerSecond    float64   `json:"rate_per_second" doc:"Calls. On LINE multicast calls, at most 200, or pushes where the texts hold the name variable, at most 2,000. In force for the account until the lane has ended."`
		Reason           string    `json:"reason,omitempty" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

func (s *service) addControls() {
	for name, summary := range map[string]string{
		workflows.UpdatePause: "Hold a broadcast, or one lane", workflows.UpdateResume: "Let it go on", workflows.UpdateCancel: "Cancel what is not sent",
	} {
		register(s, route{method: http.MethodPost, path: "/v1/broadcasts/{id}:" + name, id: name + "-broadcast", summary: summary, access: memberOnly},
			func(ctx context.Context, in *controlInput) (*broadcastOutput, error) {
				return s.control(ctx, name, in.ID, workflows.ControlInput{ChannelAccountID: in.Body.ChannelAccountID, Reason: in.Body.Reason})
			})
	}
	register(s, route{method: http.MethodPost, path: "/v1/broadcasts/{id}:approve", id: "approve-broadcast", summary: "Let a broadcast go that is too late for its start",
		access: memberOnly}, s.approve)
	register(s, route{method: http.MethodPost, path: "/v1/broadcasts/{id}:rate", id: "rate-broadcast", summary: "Set the rate of a lane", access: memberOnly},
		func(ctx context.Context, in *rateInput) (*broadcastOutput, error) {
			return s.control(ctx, workflows.UpdateSetRate, in.ID, workflows.ControlInput{ChannelAccountID: in.Body.ChannelAccountID,
				RatePerSecond: in.Body.RatePerSecond, Reason: in.Body.Reason})
		})
}

type approveInput struct {
	BroadcastPath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Kept in the audit log."`
	}
}

func (s *service) approve(ctx context.Context, in *approveInput) (*broadcastOutput, error) {
	return s.control(ctx, workflows.UpdateApprove, in.ID, workflows.ControlInput{Reason: in.Body.Reason})
}

// control asks the run of a broadcast for something and shows what became of
// it. A run that was promised and not started yet is started first.
func (s *service) control(ctx context.Context, name string, id uuid.UUID, in workflows.ControlInput) (*broadcastOutput, error) {
	who := identityOf(ctx)
	if err := permitOperate(who); err != nil {
		return nil, err
	}
	b, err := s.store.LoadBroadcast(ctx, who.TeamID, id)
	if err != nil {
		return nil, err
	}
	if err := s.checkControl(ctx, b, name, in); err != nil {
		return nil, err
	}
	start, err := s.store.OpenPromise(ctx, who.TeamID, b.WorkflowID)
	if err != nil {
		return nil, err
	}
	if start != nil {
		if err := s.keepPromise(ctx, *start, controlBudget); err != nil {
			return nil, err
		}
	}
	in.ActorID = who.MemberID
	ctx, cancel := context.WithTimeout(ctx, controlBudget)
	defer cancel()
	_, err = s.engine.Update(ctx, b.WorkflowID, newResourceID(ctx).String(), name, in)
	if errors.Is(err, temporalclient.ErrNoRun) {
		return nil, finished()
	}
	if err != nil {
		return nil, err
	}
	return s.showBroadcast(ctx, who.TeamID, id)
}

func finished() error {
	return omniflow.Refuse(omniflow.BroadcastFinished, "SYS-10", "the broadcast has ended; nothing can be changed any more")
}

// checkControl refuses what the run would refuse too, before it is asked.
func (s *service) checkControl(ctx context.Context, b postgres.Broadcast, name string, in workflows.ControlInput) error {
	if b.FinishedAt != nil {
		return finished()
	}
	if in.ChannelAccountID == uuid.Nil {
		if name == workflows.UpdateSetRate {
			return badInput("channel_account_id is required: a rate belongs to one lane")
		}
		return nil
	}
	account, err := s.store.LoadAccount(ctx, b.TeamID, in.ChannelAccountID)
	if err != nil {
		return err
	}
	if b.PlannedAt != nil && !hasLane(b, account.ID) {
		return omniflow.Refuse(omniflow.NotFound, "SYS-13", "the broadcast has no lane on this channel account")
	}
	if name != workflows.UpdateSetRate {
		return nil
	}
	request, err := s.store.LoadRequest(ctx, b.TeamID, b.ID)
	if err != nil {
		return err
	}
	limiter := omniflow.LimiterOf(account.Channel, request.Messages)
	if no := omniflow.CheckBroadcastRate(account.Channel, limiter, in.RatePerSecond); no != nil {
		return no
	}
	return nil
}

func hasLane(b postgres.Broadcast, accountID uuid.UUID) bool {
	for _, l := range b.Lanes {
		if l.ChannelAccountID == accountID {
			return true
		}
	}
	return false
}
