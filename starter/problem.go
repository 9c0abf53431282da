package main

import (
	"context"
	"errors"
	"strings"

	"omniflow/internal/apiclient"
)

// nextSteps say what to do about a code. Of a code that is not here, and of a
// conversation that its role does not hide but its follower (D-ROL-3), the
// detail says it.
var nextSteps = map[string]string{
	"unauthenticated":         "set OMNIFLOW_TOKEN to a valid token (starter token create, or starter token platform)",
	"permission_denied":       "use a token of a member whose role may do this",
	"plan_required":           "the team needs another plan (starter team create --plan omo)",
	"feature_disabled":        "switch the feature's flag on for the team",
	"actor_inactive":          "use the token of an active member",
	"not_found":               "check the id and that the token is of the same team",
	"idempotency_key_reused":  "use a new --idempotency-key for a new request",
	"idempotency_in_progress": "wait until the first request has ended, then repeat it",
	"broadcast_finished":      "nothing is left to steer; see starter broadcast show",
	"broadcast_empty":         "widen the audience, or import customers with --follower",
	"rate_invalid":            "choose a rate above 0 and not above the channel's maximum",
	"body_too_large":          "split the file into parts of at most 64 MiB",
	"role_invalid":            "choose a role such as sales_staff, sales_manager or administrator",
	"api_unavailable":         "try again shortly, or look at /readyz of the API",
	"internal_error":          "try again; if it stays, look into the API's log",
}

// explain makes one line of what went wrong. A refusal of the input names the
// ids that are none as they were given, which the API only knows as fields.
func (e *actionError) explain() string {
	var problem *apiclient.Problem
	if e.wrongIDs != "" && errors.As(e.err, &problem) && (problem.Code == "input_invalid" || problem.Code == "bad_query") {
		return problem.Code + ": " + oneLine(e.wrongIDs)
	}
	return explain(e.err)
}

// explain makes one line of an error: code, detail, rule and what to do next.
func explain(err error) string {
	var problem *apiclient.Problem
	var unreachable *apiclient.Unreachable
	switch {
	case errors.As(err, &problem):
		text := oneLine(problem.Error())
		if next := nextSteps[problem.Code]; next != "" && problem.Rule != "D-ROL-3" {
			text += "; " + next
		}
		return text
	case errors.As(err, &unreachable):
		return "api_unreachable: " + oneLine(unreachable.Error()) + "; start it (make up) or set OMNIFLOW_API_URL"
	case errors.Is(err, context.Canceled):
		return "interrupted: stopped before the answer came; repeat with the same --idempotency-key to be safe"
	}
	return oneLine(err.Error())
}

// oneLine joins the lines of s.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
