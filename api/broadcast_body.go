package main

import (
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// countsBody counts ledger rows; sent, received and read exclude each other.
type countsBody struct {
	omniflow.Tally
	Recipients int `json:"recipients" doc:"Conversations; a recipient may have several rows."`
}

type laneBody struct {
	ChannelAccountID uuid.UUID        `json:"channel_account_id"`
	Channel          omniflow.Channel `json:"channel"`
	AccountName      string           `json:"account_name"`
	Control          omniflow.Control `json:"control" doc:"running, paused, cancelled, or stopped by the system."`
	ControlReason    string           `json:"control_reason"`
	ControlBy        string           `json:"control_by" doc:"Member id, empty for the system."`
	ControlByName    string           `json:"control_by_name"`
	Counts           countsBody       `json:"counts"`
	RateNow          float64          `json:"rate_now" doc:"Calls per second; LINE: multicast calls."`
	LimitPerSecond   float64          `json:"limit_per_second" doc:"In force; not the account's own while a lane's rate stands in for it."`
	AccountLimit     float64          `json:"account_limit_per_second" doc:"The account's own limit."`
	RateOf           *uuid.UUID       `json:"rate_of" doc:"The broadcast with whose lane the limit in force ends; null: it is the account's own."`
	RateBy           *uuid.UUID       `json:"rate_by" doc:"Member id of who set the limit in force; null: nobody since the account was made, the platform, or an operator in the Temporal UI."`
	RateByName       string           `json:"rate_by_name"`
	RateAt           *time.Time       `json:"rate_at" doc:"When; null: with the account."`
	ClosedUntil      *time.Time       `json:"closed_until"`
	Reason           string           `json:"reason" doc:"Why slower or closed."`
	AccountState     string           `json:"account_state"`
	StopCode         string           `json:"stop_code"`
	NextStep         string           `json:"next_step" doc:"What a person should do about a stopped lane; empty while it is not."`

	Waiting omniflow.Waiting `json:"waiting" doc:"Why it is not moving."`
}

type broadcastBody struct {
	ID         uuid.UUID               `json:"id"`
	Name       string                  `json:"name"`
	Kind       omniflow.BroadcastKind  `json:"kind"`
	Client     omniflow.Client         `json:"client"`
	State      omniflow.BroadcastState `json:"state"`
	Outcome    omniflow.Outcome        `json:"outcome"`
	Code       omniflow.Code           `json:"code,omitempty" doc:"Why it was rejected: broadcast_empty, or retry_empty where another broadcast repeats it already."`
	ActorID    uuid.UUID               `json:"actor_id"`
	ActorName  string                  `json:"actor_name"`
	WorkflowID string                  `json:"workflow_id"`
	CreatedAt  time.Time               `json:"created_at"`
	PlannedAt  *time.Time              `json:"planned_at"`
	FinishedAt *time.Time              `json:"finished_at"`
	Counts     countsBody              `json:"counts"`
	Lanes      []laneBody              `json:"lanes"`
	Holds      []string                `json:"holds" doc:"The kinds of its contents, each once; also those of saved replies, and bot_module."`
	Messages   []omniflow.Content      `json:"messages,omitempty" doc:"What it sends, frozen when it was accepted; only where one broadcast is asked for."`
	Hours      *omniflow.Hours         `json:"hours,omitempty" doc:"Likewise."`

	StartAt          *time.Time       `json:"start_at"`
	LateAfterSeconds int              `json:"late_after_seconds,omitempty" doc:"A start later than this waits for an approval."`
	Waiting          omniflow.Waiting `json:"waiting" doc:"Why it has no lanes yet."`
	RetryOf          *uuid.UUID       `json:"retry_of" doc:"The broadcast that this one repeats a part of."`
	Retries          []uuid.UUID      `json:"retries" doc:"The broadcasts that repeat a part of this one."`
}

func bodyOfBroadcast(b postgres.Broadcast, now time.Time) (broadcastBody, error) {
	out := broadcastBody{ID: b.ID, Name: b.Name, Kind: b.Kind, Client: b.Client, State: b.State, Outcome: b.Outcome, ActorID: b.ActorID, ActorName: b.ActorName,
		WorkflowID: b.WorkflowID, CreatedAt: b.CreatedAt, PlannedAt: b.PlannedAt, FinishedAt: b.FinishedAt, Lanes: []laneBody{},
		StartAt: b.StartAt, Waiting: forPeople(b.Waiting(now), b.ControlByName), RetryOf: b.RetryOf, Retries: append([]uuid.UUID{}, b.Retries...), Holds: append([]string{}, b.Holds...)}
	switch {
	case b.Outcome == omniflow.OutcomeRejected && b.RetryOf != nil:
		out.Code = omniflow.RetryEmpty
	case b.Outcome == omniflow.OutcomeRejected:
		out.Code = omniflow.BroadcastEmpty
	}
	if b.StartAt != nil && b.LateAfter != nil {
		out.LateAfterSeconds = int(b.LateAfter.Seconds())
	}
	for _, l := range b.Lanes {
		tally, err := l.Tally()
		if err != nil {
			return broadcastBody{}, err
		}
		lane := laneBody{ChannelAccountID: l.ChannelAccountID, Channel: l.Channel, AccountName: l.AccountName, Control: l.Control,
			ControlReason: l.ControlReason, Counts: countsBody{Tally: tally, Recipients: l.Recipients}, RateNow: l.RateNow,
			LimitPerSecond: l.LimitPerSecond, AccountLimit: l.AccountLimit, RateOf: l.RateOf, RateBy: l.RateBy, RateByName: l.RateByName, RateAt: l.RateAt,
			ClosedUntil: l.ClosedUntil, Reason: l.Reason, AccountState: l.AccountState, StopCode: l.StopCode, Waiting: forPeople(l.Waiting(tally, now), l.ControlByName)}
		if lane.NextStep = omniflow.Advice(l.Channel, l.StopCode); l.StopCode == "" && l.Control == omniflow.Stopped {
			lane.NextStep = omniflow.Advice(l.Channel, l.ControlReason)
		}
		if l.ControlBy != nil {
			lane.ControlBy, lane.ControlByName = l.ControlBy.String(), l.ControlByName
		}
		out.Counts.AddAll(tally)
		out.Counts.Recipients += l.Recipients
		out.Lanes = append(out.Lanes, lane)
	}
	return out, nil
}

// forPeople keeps an estimate from changing with every look, and names who has
// it wait.
func forPeople(w omniflow.Waiting, by string) omniflow.Waiting {
	if w.By != nil {
		w.ByName = by
	}
	if w.Until != nil {
		at := w.Until.Truncate(time.Second)
		w.Until = &at
	}
	return w
}
