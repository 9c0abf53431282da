package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// keywordFields are what a rule is made of.
type keywordFields struct {
	Keyword  string                       `json:"keyword" doc:"At most 100 characters; capitals and spaces around it make no difference."`
	Match    omniflow.KeywordMatch        `json:"match,omitempty" doc:"exact (the default) or contains"`
	Channels []omniflow.Channel           `json:"channels,omitempty" nullable:"false" doc:"None: every channel."`
	Reply    string                       `json:"reply,omitempty" doc:"Automatic reply; {{system:customer_name}} is the contact's name."`
	States   []omniflow.ConversationState `json:"states,omitempty" nullable:"false" doc:"In which the reply fires, as they are after the message: pending_bot (the default), pending_human, handling."`
	AssignTo uuid.UUID                    `json:"assign_to,omitempty" doc:"Member who becomes the follower of who writes it (CNV-18)."`
	AskHuman bool                         `json:"ask_human,omitempty" doc:"Who writes it asks for a human (CNV-11)."`
}

type createKeywordInput struct{ Body keywordFields }

// KeywordPath is the path of one keyword rule.
type KeywordPath struct {
	ID uuid.UUID `path:"id"`
}

type replaceKeywordInput struct {
	KeywordPath
	Body keywordFields
}

type keywordBody struct {
	ID        uuid.UUID `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	keywordFields
}

type keywordOutput struct{ Body keywordBody }

type keywordListOutput struct{ Body listBody[keywordBody] }

type listKeywordsInput struct{ PageInput }

func (s *service) addKeywords() {
	const path = "/v1/keyword-rules"
	register(s, route{method: http.MethodPost, path: path, id: "create-keyword-rule", summary: "Make a keyword answer, assign, or ask for a human", access: memberOnly,
		status: http.StatusCreated}, func(ctx context.Context, in *createKeywordInput) (*keywordOutput, error) {
		return s.saveKeyword(ctx, newResourceID(ctx), in.Body, true)
	})
	register(s, route{method: http.MethodGet, path: path, id: "list-keyword-rules", summary: "List the keyword rules of the team, oldest first", access: memberOnly}, s.listKeywords)
	register(s, route{method: http.MethodPut, path: path + "/{id}", id: "replace-keyword-rule", summary: "Replace a keyword rule", access: memberOnly},
		func(ctx context.Context, in *replaceKeywordInput) (*keywordOutput, error) {
			return s.saveKeyword(ctx, in.ID, in.Body, false)
		})
	register(s, route{method: http.MethodDelete, path: path + "/{id}", id: "delete-keyword-rule", summary: "Delete a keyword rule", access: memberOnly,
		status: http.StatusNoContent}, s.deleteKeyword)
}

func (s *service) saveKeyword(ctx context.Context, id uuid.UUID, in keywordFields, fresh bool) (*keywordOutput, error) {
	who := identityOf(ctx)
	if no := omniflow.PermitKeywords(who.Actor.Role); no != nil {
		return nil, no
	}
	if in.Match == "" {
		in.Match = omniflow.MatchExact
	}
	if len(in.States) == 0 {
		in.States = []omniflow.ConversationState{omniflow.PendingBot}
	}
	rule := omniflow.KeywordRule{ID: id, Keyword: in.Keyword, Match: in.Match, Channels: in.Channels, Reply: in.Reply, States: in.States, AssignTo: in.AssignTo, AskHuman: in.AskHuman}
	if no := rule.Check(); no != nil {
		return nil, no
	}
	saved, err := s.store.SaveKeyword(ctx, postgres.KeywordRule{TeamID: who.TeamID, KeywordRule: rule}, fresh, postgres.By{ActorID: who.MemberID})
	if err != nil {
		return nil, err
	}
	return &keywordOutput{Body: bodyOfKeyword(saved)}, nil
}

func bodyOfKeyword(r postgres.KeywordRule) keywordBody {
	return keywordBody{ID: r.ID, CreatedAt: r.CreatedAt, keywordFields: keywordFields{Keyword: r.Keyword, Match: r.Match, Channels: r.Channels, Reply: r.Reply,
		States: r.States, AssignTo: r.AssignTo, AskHuman: r.AskHuman}}
}

func (s *service) listKeywords(ctx context.Context, in *listKeywordsInput) (*keywordListOutput, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	rules, err := s.store.ListKeywords(ctx, identityOf(ctx).TeamID, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &keywordListOutput{Body: listBody[keywordBody]{Items: make([]keywordBody, len(rules))}}
	for i, r := range rules {
		out.Body.Items[i] = bodyOfKeyword(r)
	}
	out.Body.Next = nextAfter(rules, in.Limit, func(r postgres.KeywordRule) string { return r.ID.String() })
	return out, nil
}

func (s *service) deleteKeyword(ctx context.Context, in *KeywordPath) (*struct{}, error) {
	who := identityOf(ctx)
	if no := omniflow.PermitKeywords(who.Actor.Role); no != nil {
		return nil, no
	}
	return nil, s.store.DeleteKeyword(ctx, who.TeamID, in.ID, postgres.By{ActorID: who.MemberID})
}
