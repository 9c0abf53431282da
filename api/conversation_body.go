package main

import (
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type conversationBody struct {
	ID               uuid.UUID                  `json:"id"`
	Type             omniflow.ConversationType  `json:"type" doc:"one_to_one, whatsapp_group or line_group"`
	Channel          omniflow.Channel           `json:"channel"`
	ChannelAccountID uuid.UUID                  `json:"channel_account_id"`
	State            omniflow.ConversationState `json:"state" doc:"pending_human, pending_bot, handling or closed"`
	View             omniflow.View              `json:"view" doc:"Of the asker."`
	FollowerID       *uuid.UUID                 `json:"follower_id" doc:"Of a closed one, who followed it."`
	FollowerName     string                     `json:"follower_name"`
	Collaborators    []uuid.UUID                `json:"collaborators" doc:"By rank."`
	FollowedAt       *time.Time                 `json:"followed_at"`
	ClosedAt         *time.Time                 `json:"closed_at"`
	Version          int64                      `json:"version" doc:"Give it back with a step, to be refused if somebody was faster."`

	ContactID  *uuid.UUID `json:"contact_id" doc:"None: a group."`
	Name       string     `json:"name" doc:"Of the contact or group, else the phone number or the channel's id."`
	Phone      string     `json:"phone" doc:"E.164"`
	Email      string     `json:"email"`
	Note       string     `json:"note"`
	Tags       []string   `json:"tags"`
	ExternalID string     `json:"external_id" doc:"The channel's id of the customer."`

	Unread                int64            `json:"unread" doc:"Messages that the asker has not read."`
	Pinned                bool             `json:"pinned" doc:"By the asker."`
	Waiting               string           `json:"waiting" doc:"none, over_30m, over_1h or over_2h"`
	WaitingSince          *time.Time       `json:"waiting_since" doc:"First message that no person answered."`
	Window                omniflow.Bracket `json:"window" doc:"What may be sent now: open, template_only, non_promotional or blocked."`
	WindowUntil           *time.Time       `json:"window_until" doc:"The last moment of that, if the customer does not write; none: it stays."`
	Hint                  string           `json:"hint" doc:"What the input box says about the window."`
	LastMessageAt         time.Time        `json:"last_message_at" doc:"Without any message: when it was made."`
	LastCustomerMessageAt *time.Time       `json:"last_customer_message_at"`
	CreatedAt             time.Time        `json:"created_at"`
	WorkflowID            string           `json:"workflow_id" doc:"Of its run, while it has one."`
}

// windowHints are the texts of the input box.
var windowHints = map[omniflow.Bracket]omniflow.TextKey{
	omniflow.TemplateOnly:   omniflow.TextWAWindowClosed,
	omniflow.NonPromotional: omniflow.TextFBNonPromotionalOnly,
	omniflow.Blocked:        omniflow.TextFBWindowClosed,
}

func bodyOfConversation(c postgres.ConversationView, viewer uuid.UUID) conversationBody {
	since := time.Time{}
	if c.WaitingSince != nil {
		since = *c.WaitingSince
	}
	level, _ := omniflow.WaitingLevelOf(c.State, since, c.Now)
	out := conversationBody{ID: c.ID, Type: c.Type, Channel: c.Channel, ChannelAccountID: c.ChannelAccountID, State: c.State,
		View: omniflow.ViewOf(c.State, c.Relation(viewer)), FollowerID: c.FollowerID, FollowerName: c.FollowerName, Collaborators: c.Collaborators,
		FollowedAt: c.FollowedAt, ClosedAt: c.ClosedAt, Version: c.Version, ContactID: c.ContactID,
		Name: omniflow.ConversationName(c.Type, c.Name, c.Phone, c.ExternalID), Phone: c.Phone, Email: c.Email,
		Note: c.Note, Tags: c.Tags, ExternalID: c.ExternalID, Unread: c.Unread(), Pinned: c.Pinned, Waiting: level.String(), WaitingSince: c.WaitingSince,
		Window:        omniflow.WindowState(c.Channel, c.Type, c.LastCustomerMessageAt, c.Now),
		LastMessageAt: c.LastMessageAt, LastCustomerMessageAt: c.LastCustomerMessageAt, CreatedAt: c.CreatedAt,
		WorkflowID: omniflow.ServeConversationID(c.TeamID, c.ID)}
	if until := omniflow.WindowUntil(c.Channel, c.Type, c.LastCustomerMessageAt, c.Now); !until.IsZero() {
		out.WindowUntil = &until
	}
	out.Hint = windowHints[out.Window].Text()
	return out
}
