package main

import (
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type groupBody struct {
	ID               uuid.UUID                  `json:"id"`
	Title            string                     `json:"title" doc:"As listed: [群組] and the name (GRP-13)."`
	Name             string                     `json:"name"`
	Description      string                     `json:"description"`
	ChannelAccountID uuid.UUID                  `json:"channel_account_id"`
	CreatorID        uuid.UUID                  `json:"creator_id"`
	State            omniflow.GroupState        `json:"state"`
	Label            string                     `json:"label" doc:"建立失敗 for a failed group (GRP-17)."`
	Code             omniflow.Code              `json:"code" doc:"Why it failed."`
	Conversation     omniflow.ConversationState `json:"conversation_state" doc:"Empty while under review."`
	View             omniflow.View              `json:"view" doc:"Of the asker."`
	FollowerID       *uuid.UUID                 `json:"follower_id"`
	Version          int64                      `json:"version" doc:"Give it back with a step, to be refused if somebody was faster."`
	Avatar           string                     `json:"avatar" doc:"Always default (GRP-14)."`
	Preview          string                     `json:"preview"`
	LastMessageAt    *time.Time                 `json:"last_message_at" doc:"Of a group without messages, when it was created (GRP-15)."`
	SendCode         omniflow.Code              `json:"send_code" doc:"Why the newest message to the group failed, such as group_not_eligible; empty if it did not."`
	Hint             string                     `json:"hint" doc:"What the input box says instead of taking text."`
	Bracket          omniflow.Bracket           `json:"window"`
	CreatedAt        time.Time                  `json:"created_at"`
	DecidedAt        *time.Time                 `json:"decided_at"`
	SuspendedAt      *time.Time                 `json:"suspended_at"`
	DeletedAt        *time.Time                 `json:"deleted_at"`
}

type waitBody struct {
	For   string     `json:"for" doc:"What is waited for."`
	Until *time.Time `json:"until" doc:"When the wait ends, or the next step is due."`
}

type groupMemberBody struct {
	ID        uuid.UUID                 `json:"id"`
	Phone     string                    `json:"phone"`
	Name      string                    `json:"name" doc:"Of the known contact, else the number (MEM-05)."`
	Avatar    string                    `json:"avatar" doc:"contact: that of contact_id; default: the system's icon."`
	ContactID *uuid.UUID                `json:"contact_id"`
	State     omniflow.GroupMemberState `json:"state"`
	Code      omniflow.Code             `json:"code" doc:"The reason of a failure."`
	Since     time.Time                 `json:"since"`
	Invite    omniflow.MessageState     `json:"invitation" doc:"State of the invitation's message."`
	Waiting   *waitBody                 `json:"waiting"`
}

type groupChangeBody struct {
	ID        uuid.UUID     `json:"id"`
	Kind      string        `json:"kind"`
	State     string        `json:"state"`
	Code      omniflow.Code `json:"code"`
	CreatedAt time.Time     `json:"created_at"`
	DecidedAt *time.Time    `json:"decided_at"`
}

type groupDetailBody struct {
	groupBody
	WorkflowID       string            `json:"workflow_id"`
	ApprovalRequired bool              `json:"approval_required"`
	InviteLink       string            `json:"invite_link"`
	Waiting          *waitBody         `json:"waiting"`
	Members          []groupMemberBody `json:"members"`
	Changes          []groupChangeBody `json:"changes"`
}

func bodyOfGroup(g postgres.GroupView, viewer uuid.UUID, now time.Time) groupBody {
	relation := omniflow.Relation{Follower: g.FollowerID != nil && *g.FollowerID == viewer, Collaborator: g.Collaborates}
	out := groupBody{ID: g.ID, Title: omniflow.GroupTitle(g.Name), Name: g.Name, Description: g.Description, ChannelAccountID: g.ChannelAccountID,
		CreatorID: g.CreatorID, State: g.State, Code: g.Code, Conversation: g.ConversationState, View: omniflow.ViewOf(g.ConversationState, relation),
		FollowerID: g.FollowerID, Version: g.Version, Avatar: "default", Preview: g.Preview, SendCode: g.SendCode, LastMessageAt: g.LastMessageAt, CreatedAt: g.CreatedAt,
		DecidedAt: g.DecidedAt, SuspendedAt: g.SuspendedAt, DeletedAt: g.DeletedAt}
	if out.LastMessageAt == nil {
		out.LastMessageAt = g.ListedAt
	}
	switch out.Bracket = omniflow.WindowState(omniflow.WhatsApp, omniflow.WhatsAppGroup, g.LastMemberMessageAt, now); {
	case g.State == omniflow.GroupFailed:
		out.Label, out.Hint = omniflow.TextWAGroupFailedLabel.Text(), omniflow.TextWAGroupNotApproved.Text()
	case g.State == omniflow.GroupCreated && out.Bracket == omniflow.TemplateOnly:
		out.Hint = omniflow.TextWAWindowClosed.Text()
	}
	return out
}

func bodyOfGroupDetail(g postgres.GroupDetail, viewer uuid.UUID, now time.Time) groupDetailBody {
	out := groupDetailBody{groupBody: bodyOfGroup(g.GroupView, viewer, now), ApprovalRequired: g.ApprovalRequired, InviteLink: g.InviteLink,
		Members: make([]groupMemberBody, len(g.Members)), Changes: make([]groupChangeBody, len(g.Changes))}
	for i, m := range g.Members {
		out.Members[i] = bodyOfMember(m, g.State, now)
	}
	for i, c := range g.Changes {
		out.Changes[i] = groupChangeBody(c)
	}
	if g.State == omniflow.GroupReviewing {
		out.Waiting = &waitBody{For: reviewWaits[g.CreateCall], Until: g.ReviewUntil}
	}
	return out
}

// reviewWaits says what a creation waits for.
var reviewWaits = map[omniflow.CreateCall]string{
	omniflow.CallDue:      "the create call",
	omniflow.CallUnderWay: "the answer to the create call",
	omniflow.CallAccepted: "the provider's review",
	omniflow.CallUnknown:  "a webhook: the answer to the create call was lost",
}

func bodyOfMember(m postgres.GroupMemberView, group omniflow.GroupState, now time.Time) groupMemberBody {
	out := groupMemberBody{ID: m.ID, Phone: m.Phone, Name: m.Name, ContactID: m.ContactID, Avatar: "default", State: m.State, Code: m.Code,
		Since: m.Since, Invite: m.Row.Message}
	if m.ContactID != nil {
		out.Avatar = "contact"
	}
	if group == omniflow.GroupCreated {
		out.Waiting = memberWait(m.Row, now)
	}
	return out
}

// stepWaits says what a member waits for while a step is due.
var stepWaits = map[omniflow.MemberStep]string{
	omniflow.StepInvite:    "the invitation to be sent",
	omniflow.StepReconcile: "the outcome of the invitation to be decided",
	omniflow.StepDecide:    "the provider to be told who is let in",
	omniflow.StepRemove:    "the provider to be asked for the removal",
	omniflow.StepExpire:    "a last look at the group: the time is over",
	omniflow.StepFail:      "the failed invitation to be noted",
}

// memberWait says what a member waits for, nil for nothing.
func memberWait(m omniflow.GroupMember, now time.Time) *waitBody {
	step, until := m.Next(now)
	if step == omniflow.StepEnd {
		return nil
	}
	out := &waitBody{For: stepWaits[step]}
	if !until.IsZero() {
		out.Until = &until
	}
	if step != omniflow.StepWait {
		return out
	}
	switch {
	case m.State == omniflow.MemberRemovePending:
		out.For = "the provider to remove the number"
	case m.JoinRequestID != "" && !m.Called:
		out.For = "somebody to approve or reject the join request"
	case m.Message == omniflow.Queued, m.Message == omniflow.Unknown:
		out.For = "the invitation to be sent"
	default:
		out.For = "the number to join"
	}
	return out
}
