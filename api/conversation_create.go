package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"omniflow/internal/customercsv"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type createConversationInput struct {
	Body struct {
		ChannelAccountID uuid.UUID `json:"channel_account_id" doc:"A WhatsApp account of the team."`
		Name             string    `json:"name,omitempty" maxLength:"200" doc:"Of the customer; replaces the one there is (WAC-08)."`
		Country          string    `json:"country,omitempty" doc:"ISO code, such as HK; required unless the phone begins with +."`
		Phone            string    `json:"phone" doc:"As people write it."`
		TakeOver         bool      `json:"take_over,omitempty" doc:"Yes to the prompt of exists_ask_takeover."`
		Version          int64     `json:"version,omitempty" doc:"With take_over: the version that the prompt showed; if it changed, the prompt comes again."`
	}
}

type createdConversationOutput struct {
	Body struct {
		Result omniflow.CreateResult `json:"result" doc:"created, followed, existing, reopened, taken_over; exists_ask_takeover: ask, then send it again with take_over; exists_ask_join: a collaboration, join it first. Who may not see the conversation is told its id, state, follower, name, phone and version only."`
		conversationBody
	}
}

func (s *service) addConversationCreation() {
	register(s, route{method: http.MethodPost, path: "/v1/conversations", id: "create-conversation", summary: "Open a WhatsApp conversation with a number", access: memberOnly},
		s.createConversation)
}

func (s *service) createConversation(ctx context.Context, in *createConversationInput) (*createdConversationOutput, error) {
	who := identityOf(ctx)
	n := postgres.NewConversation{TeamID: who.TeamID, ActorID: who.MemberID, ChannelAccountID: in.Body.ChannelAccountID, Name: strings.TrimSpace(in.Body.Name),
		TakeOver: in.Body.TakeOver, Version: in.Body.Version, ActionID: newResourceID(ctx)}
	if err := s.checkWhatsAppAccount(ctx, n); err != nil {
		return nil, err
	}
	n.Country = strings.ToUpper(strings.TrimSpace(in.Body.Country))
	if n.Country != "" && !customercsv.KnownCountry(n.Country) {
		return nil, omniflow.Refuse(omniflow.CountryInvalid, "WAC-02", "country is an ISO 3166 code of two letters, such as HK")
	}
	phone, code := customercsv.ParseMobile(in.Body.Phone, n.Country)
	switch code {
	case "":
	case omniflow.CountryRequired:
		return nil, omniflow.Refuse(code, "WAC-02", "a number without + needs its country")
	default:
		return nil, omniflow.Refuse(omniflow.PhoneInvalid, "WAC-02", "the number is no mobile number of that country: %s", code)
	}
	n.Phone = phone
	made, err := s.store.CreateConversation(ctx, n)
	if err != nil {
		return nil, err
	}
	out := &createdConversationOutput{}
	out.Body.Result = made.Result
	c, err := s.store.ShowConversation(ctx, who.TeamID, who.MemberID, who.Actor.Role, made.ID)
	if isRefusal(err, omniflow.PermissionDenied) {
		out.Body.conversationBody, err = s.promptAbout(ctx, made.ID)
		return out, err
	}
	if err != nil {
		return nil, err
	}
	out.Body.conversationBody = bodyOfConversation(c, who.MemberID)
	return out, nil
}

// promptAbout is what the prompt of WAC-06 tells of a conversation to who may
// not see it: who has it, and nothing of what is known of the customer.
func (s *service) promptAbout(ctx context.Context, id uuid.UUID) (conversationBody, error) {
	who := identityOf(ctx)
	c, err := s.store.ShowConversation(ctx, who.TeamID, who.MemberID, omniflow.Administrator, id)
	if err != nil {
		return conversationBody{}, err
	}
	all := bodyOfConversation(c, who.MemberID)
	return conversationBody{ID: all.ID, State: all.State, FollowerID: all.FollowerID, FollowerName: all.FollowerName, Name: all.Name, Phone: all.Phone,
		Version: all.Version, Collaborators: []uuid.UUID{}, Tags: []string{}}, nil
}

func (s *service) checkWhatsAppAccount(ctx context.Context, n postgres.NewConversation) error {
	account, err := s.store.LoadAccount(ctx, n.TeamID, n.ChannelAccountID)
	switch {
	case isRefusal(err, omniflow.NotFound):
		return omniflow.Refuse(omniflow.ChannelAccountInvalid, "WAC-02", "the team has no such channel account")
	case err != nil:
		return err
	case account.Channel != omniflow.WhatsApp:
		return omniflow.Refuse(omniflow.ChannelAccountInvalid, "WAC-01", "only a WhatsApp account can open a conversation, not one of %s", account.Channel)
	}
	return nil
}
