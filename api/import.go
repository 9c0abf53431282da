package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/customercsv"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// importBudget bounds the reading of a file.
const importBudget = 2 * time.Minute

// maxAccounts is how many channel accounts of a team an import looks at.
const maxAccounts = 10_000

type importInput struct {
	TeamPath
	FollowerID       string `query:"follower_id" doc:"Imported conversations are handled by this member; without it they are pending."`
	LINEAccount      string `query:"line_account" doc:"Needed where the team has several accounts of the channel."`
	WhatsAppAccount  string `query:"whatsapp_account"`
	FacebookAccount  string `query:"facebook_account"`
	InstagramAccount string `query:"instagram_account"`
}

type importBody struct {
	Rows       int                 `json:"rows"`
	Imported   int                 `json:"imported"`
	Updated    int                 `json:"updated"`
	Duplicates []customercsv.Issue `json:"duplicates"`
	Rejected   []customercsv.Issue `json:"rejected"`
	Warnings   []customercsv.Issue `json:"warnings"`
}

type importOutput struct{ Body importBody }

func (s *service) addImports() {
	register(s, route{method: http.MethodPost, path: "/v1/teams/{team_id}/imports", id: "import-customers", summary: "Import customers from CSV",
		access: teamAdmin, maxBody: omniflow.MaxImportBytes, raw: true}, s.importCustomers)
}

// importCustomers stores all good rows of a file in one transaction, or none.
func (s *service) importCustomers(ctx context.Context, in *importInput) (*importOutput, error) {
	follower, err := s.importFollower(ctx, in.TeamID, in.FollowerID)
	if err != nil {
		return nil, err
	}
	accounts, err := s.importAccounts(ctx, in)
	if err != nil {
		return nil, err
	}
	body, err := bodyOf(ctx)
	if err != nil {
		return nil, err
	}
	var rows []postgres.ImportRow
	var rejected []customercsv.Issue
	report, err := customercsv.Each(body, customercsv.Options{Now: s.now()}, func(r customercsv.Row) error {
		account, err := accounts.of(r.Channel)
		if err != nil {
			return err
		}
		if account == uuid.Nil {
			rejected = append(rejected, customercsv.Issue{Line: r.Line, Column: "channel", Reason: omniflow.ChannelAccountInvalid})
			return nil
		}
		rows = append(rows, importRow(r, account))
		return nil
	})
	if err != nil {
		return nil, err
	}
	result, err := s.store.ImportContacts(ctx, in.TeamID, follower, rows)
	if err != nil {
		return nil, err
	}
	return &importOutput{Body: importBody{Rows: report.Rows, Imported: result.Imported, Updated: result.Updated,
		Duplicates: report.Duplicates, Rejected: append(report.Rejected, rejected...), Warnings: report.Warnings}}, nil
}

func importRow(r customercsv.Row, account uuid.UUID) postgres.ImportRow {
	return postgres.ImportRow{CustomerID: r.CustomerID, Name: r.Name, Country: r.Country, Phone: r.Phone, Email: r.Email, Store: r.Store,
		Tags: r.Tags, Channel: r.Channel, ChannelAccountID: account, ExternalID: r.ChannelUserID, LastMessageAt: r.LastMessageAt}
}

// bodyOf is the body of the request, with time enough to read it.
func bodyOf(ctx context.Context) (io.Reader, error) {
	r, ok := ctx.Value(bodyKey{}).(*http.Request)
	if !ok {
		return nil, fmt.Errorf("read body: the route does not pass it")
	}
	return r.Body, nil
}

// importFollower checks the member who is to follow the conversations.
func (s *service) importFollower(ctx context.Context, teamID uuid.UUID, text string) (*uuid.UUID, error) {
	if text == "" {
		return nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, badInput("follower_id is not an id")
	}
	member, err := s.store.LoadMember(ctx, teamID, id)
	if err != nil {
		return nil, err
	}
	if member.State != omniflow.Active {
		return nil, omniflow.Refuse(omniflow.ReceiverInactive, "D-ROL-4", "the follower is not an active member")
	}
	return &id, nil
}

// importAccounts are the accounts that an import writes to, by channel: those
// the request names, else all of the team's.
type importAccounts map[omniflow.Channel][]uuid.UUID

// of is the account for the rows of ch: zero if the team has none.
func (a importAccounts) of(ch omniflow.Channel) (uuid.UUID, error) {
	switch ids := a[ch]; len(ids) {
	case 0:
		return uuid.Nil, nil
	case 1:
		return ids[0], nil
	}
	return uuid.Nil, omniflow.Refuse(omniflow.ChannelAccountInvalid, "SYS-13",
		"the team has several %s accounts: name one with %s_account", ch, ch)
}

func (s *service) importAccounts(ctx context.Context, in *importInput) (importAccounts, error) {
	all, err := s.store.ListAccounts(ctx, in.TeamID, postgres.Page{Limit: maxAccounts})
	if err != nil {
		return nil, err
	}
	out := importAccounts{}
	channels := map[uuid.UUID]omniflow.Channel{}
	for _, a := range all {
		out[a.Channel] = append(out[a.Channel], a.ID)
		channels[a.ID] = a.Channel
	}
	for ch, text := range map[omniflow.Channel]string{omniflow.LINE: in.LINEAccount, omniflow.WhatsApp: in.WhatsAppAccount,
		omniflow.Facebook: in.FacebookAccount, omniflow.Instagram: in.InstagramAccount} {
		if text == "" {
			continue
		}
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, badInput("%s_account is not an id", ch)
		}
		switch has, ok := channels[id]; {
		case !ok:
			return nil, omniflow.Refuse(omniflow.NotFound, "SYS-13", "there is no channel account with the id of %s_account", ch)
		case has != ch:
			return nil, omniflow.Refuse(omniflow.ChannelAccountInvalid, "SYS-13", "%s_account names an account of %s", ch, has)
		}
		out[ch] = []uuid.UUID{id}
	}
	return out, nil
}
