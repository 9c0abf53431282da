package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type auditInput struct {
	PageInput
	Object string `query:"object" doc:"Id of a broadcast, a channel account …; without it everything."`
}

type auditBody struct {
	ID        uuid.UUID       `json:"id"`
	At        time.Time       `json:"at"`
	ActorID   string          `json:"actor_id" doc:"Member id; empty: the system or the platform."`
	ActorName string          `json:"actor_name"`
	Action    string          `json:"action" doc:"Such as broadcast.pause."`
	Object    string          `json:"object"`
	Reason    string          `json:"reason" doc:"In the actor's words."`
	Detail    json.RawMessage `json:"detail"`
}

type auditOutput struct{ Body listBody[auditBody] }

func (s *service) addAudit() {
	register(s, route{method: http.MethodGet, path: "/v1/audit", id: "list-audit", access: memberOnly,
		summary: "List who ordered what and why, newest first; for administrators"}, s.listAudit)
}

func (s *service) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	who := identityOf(ctx)
	if who.Actor.Role != omniflow.Administrator {
		return nil, omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "only an administrator of the team may read the audit log")
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	entries, err := s.store.ListAudit(ctx, who.TeamID, in.Object, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &auditOutput{Body: listBody[auditBody]{Items: make([]auditBody, len(entries))}}
	for i, e := range entries {
		out.Body.Items[i] = auditBody{ID: e.ID, At: e.CreatedAt, Action: e.Action, Object: e.Object, Reason: e.Reason, Detail: e.Detail}
		if e.ActorID != nil {
			out.Body.Items[i].ActorID, out.Body.Items[i].ActorName = e.ActorID.String(), e.ActorName
		}
	}
	out.Body.Next = nextAfter(entries, in.Limit, func(e postgres.AuditEntry) string { return e.ID.String() })
	return out, nil
}
