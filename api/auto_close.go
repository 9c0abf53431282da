package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type autoCloseDraft struct {
	Version         int64              `json:"version,omitempty" minimum:"0" doc:"Of a change: as it was read. Of a new one: left out."`
	Name            string             `json:"name" maxLength:"200"`
	Channels        []omniflow.Channel `json:"channels" doc:"facebook, instagram, line, whatsapp, wechat; each in one group at most."`
	Enabled         bool               `json:"enabled"`
	DurationSeconds *int               `json:"duration_seconds,omitempty" doc:"Of the customer's silence after the last human reply; over 0, at most 30 days. Left out: 86400."`
	GraceSeconds    *int               `json:"grace_seconds,omitempty" doc:"From the reminder to the ending; over 0, at most an hour. Left out: 120."`
	Reminder        string             `json:"reminder,omitempty" doc:"Text before the ending; on LINE, Facebook, WhatsApp and Instagram."`
	ExcludePinned   bool               `json:"exclude_pinned,omitempty"`
	QuietFrom       string             `json:"quiet_from,omitempty" doc:"Such as 22:00, in the team's zone; nothing ends from then until quiet_until."`
	QuietUntil      string             `json:"quiet_until,omitempty"`
}

type autoCloseBody struct {
	ID uuid.UUID `json:"id"`
	autoCloseDraft
}

type createAutoCloseInput struct{ Body autoCloseDraft }

type saveAutoCloseInput struct {
	AutoClosePath
	Body autoCloseDraft
}

// AutoClosePath is the path of one rule of automatic ending.
type AutoClosePath struct {
	ID uuid.UUID `path:"id"`
}

type autoCloseOutput struct{ Body autoCloseBody }

type autoCloseListOutput struct {
	Body struct {
		Items []autoCloseBody `json:"items"`
	}
}

type surveyInput struct {
	TeamPath
	Body surveyBody
}

type surveyBody struct {
	Text     string             `json:"text" doc:"Satisfaction survey after every ending; empty sends none."`
	Channels []omniflow.Channel `json:"channels,omitempty" doc:"None: every channel."`
}

type surveyOutput struct{ Body surveyBody }

func (s *service) addAutoClose() {
	const path = "/v1/auto-close-rules"
	register(s, route{method: http.MethodPost, path: path, id: "create-auto-close-rule", summary: "Let the conversations of some channels end by themselves",
		access: memberOnly, status: http.StatusCreated}, func(ctx context.Context, in *createAutoCloseInput) (*autoCloseOutput, error) {
		in.Body.Version = 0
		return s.saveAutoClose(ctx, newResourceID(ctx), in.Body)
	})
	register(s, route{method: http.MethodGet, path: path, id: "list-auto-close-rules", summary: "List the rules of automatic ending", access: memberOnly}, s.listAutoClose)
	register(s, route{method: http.MethodPut, path: path + "/{id}", id: "set-auto-close-rule", summary: "Change a rule of automatic ending", access: memberOnly},
		func(ctx context.Context, in *saveAutoCloseInput) (*autoCloseOutput, error) {
			if in.Body.Version == 0 {
				return nil, badInput("version is that of the rule as it was read")
			}
			return s.saveAutoClose(ctx, in.ID, in.Body)
		})
	register(s, route{method: http.MethodDelete, path: path + "/{id}", id: "delete-auto-close-rule", summary: "Delete a rule of automatic ending",
		access: memberOnly, status: http.StatusNoContent}, s.deleteAutoClose)
	register(s, route{method: http.MethodGet, path: "/v1/teams/{team_id}/survey", id: "get-survey", summary: "Show the survey after an ending", access: teamAdmin},
		func(ctx context.Context, in *TeamPath) (*surveyOutput, error) {
			v, err := s.store.LoadSurvey(ctx, in.TeamID)
			return &surveyOutput{Body: surveyBody(v)}, err
		})
	register(s, route{method: http.MethodPut, path: "/v1/teams/{team_id}/survey", id: "set-survey", summary: "Set the survey after an ending", access: teamAdmin}, s.saveSurvey)
}

// permitSettings lets administrators and supervisors pass.
func permitSettings(who identity) *omniflow.Refusal {
	if who.Actor.Role == omniflow.Administrator || who.Actor.Role == omniflow.Supervisor {
		return nil
	}
	return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "the role %q may not change the team's settings", who.Actor.Role)
}

func (s *service) saveAutoClose(ctx context.Context, id uuid.UUID, d autoCloseDraft) (*autoCloseOutput, error) {
	who := identityOf(ctx)
	if no := permitSettings(who); no != nil {
		return nil, no
	}
	r := omniflow.AutoCloseRule{ID: id, Name: d.Name, Channels: d.Channels, Enabled: d.Enabled, Duration: secondsOr(d.DurationSeconds, omniflow.DefaultAutoClose),
		Grace: secondsOr(d.GraceSeconds, omniflow.DefaultGrace), Reminder: d.Reminder, ExcludePinned: d.ExcludePinned, Version: d.Version}
	var err error
	if r.Quiet, err = parseQuiet(d.QuietFrom, d.QuietUntil); err != nil {
		return nil, err
	}
	if no := r.Check(); no != nil {
		return nil, no
	}
	saved, err := s.store.SaveAutoClose(ctx, who.TeamID, r, postgres.By{ActorID: who.MemberID})
	if err != nil {
		return nil, err
	}
	return &autoCloseOutput{Body: bodyOfAutoClose(saved)}, nil
}

// secondsOr is a number of seconds, or what holds where none is given; a given 0
// is a 0, which the rule refuses.
func secondsOr(n *int, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	return seconds(*n)
}

// parseQuiet reads two times of day, or none.
func parseQuiet(from, until string) (*omniflow.QuietHours, error) {
	if from == "" && until == "" {
		return nil, nil
	}
	a, errFrom := time.Parse("15:04", from)
	b, errUntil := time.Parse("15:04", until)
	if errFrom != nil || errUntil != nil {
		return nil, badInput("quiet_from and quiet_until look like 22:00, both or none")
	}
	midnight := func(t time.Time) time.Duration {
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	return &omniflow.QuietHours{From: midnight(a), Until: midnight(b)}, nil
}

func (s *service) listAutoClose(ctx context.Context, _ *struct{}) (*autoCloseListOutput, error) {
	rules, err := s.store.ListAutoClose(ctx, identityOf(ctx).TeamID)
	if err != nil {
		return nil, err
	}
	out := &autoCloseListOutput{}
	out.Body.Items = make([]autoCloseBody, len(rules))
	for i, r := range rules {
		out.Body.Items[i] = bodyOfAutoClose(r)
	}
	return out, nil
}

func (s *service) deleteAutoClose(ctx context.Context, in *AutoClosePath) (*struct{}, error) {
	who := identityOf(ctx)
	if no := permitSettings(who); no != nil {
		return nil, no
	}
	return nil, s.store.DeleteAutoClose(ctx, who.TeamID, in.ID, postgres.By{ActorID: who.MemberID})
}

func (s *service) saveSurvey(ctx context.Context, in *surveyInput) (*surveyOutput, error) {
	v := omniflow.Survey(in.Body)
	if no := v.Check(); no != nil {
		return nil, no
	}
	return &surveyOutput{Body: in.Body}, s.store.SaveSurvey(ctx, in.TeamID, v, postgres.By{ActorID: identityOf(ctx).MemberID})
}

func bodyOfAutoClose(r omniflow.AutoCloseRule) autoCloseBody {
	duration, grace := int(r.Duration.Seconds()), int(r.Grace.Seconds())
	d := autoCloseDraft{Version: r.Version, Name: r.Name, Channels: r.Channels, Enabled: r.Enabled, DurationSeconds: &duration,
		GraceSeconds: &grace, Reminder: r.Reminder, ExcludePinned: r.ExcludePinned}
	if r.Quiet != nil {
		d.QuietFrom, d.QuietUntil = clockOf(r.Quiet.From), clockOf(r.Quiet.Until)
	}
	return autoCloseBody{ID: r.ID, autoCloseDraft: d}
}

// clockOf is a time of day such as 22:00.
func clockOf(d time.Duration) string { return time.Time{}.Add(d).Format("15:04") }
