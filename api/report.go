package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/omniflow"
)

type reportInput struct {
	From time.Time `query:"from" required:"true" doc:"RFC 3339, included."`
	To   time.Time `query:"to" required:"true" doc:"RFC 3339, not included."`
}

// linkCounts counts what was really sent; a message that was sent again after
// a fault counts once.
type linkCounts struct {
	TotalMessages int `json:"total_messages" doc:"Messages that customers got (BRD-14)."`
	ShoppingLinks int `json:"shopping_links" doc:"Links in them, to the team's site and to others (BRD-15)."`
	OfficialLinks int `json:"official_links"`
	OtherLinks    int `json:"other_links"`
}

type memberLinks struct {
	MemberID uuid.UUID `json:"member_id"`
	linkCounts
}

type broadcastLinks struct {
	BroadcastID uuid.UUID `json:"broadcast_id"`
	MemberID    uuid.UUID `json:"member_id"`
	linkCounts
}

type reportOutput struct {
	Body struct {
		linkCounts
		ByMember    []memberLinks    `json:"by_member"`
		ByBroadcast []broadcastLinks `json:"by_broadcast"`
	}
}

type siteDomainsInput struct {
	TeamPath
	Body struct {
		Domains []string `json:"domains" maxItems:"50" doc:"Of the team's own site, such as shop.example.com; subdomains belong to them."`
	}
}

type siteDomainsOutput struct {
	Body struct {
		Domains []string `json:"domains"`
	}
}

func (s *service) addReports() {
	register(s, route{method: http.MethodGet, path: "/v1/reports/shopping-links", id: "shopping-link-report",
		summary: "Count the messages and shopping links that broadcasts sent", access: memberOnly}, s.shoppingLinks)
	register(s, route{method: http.MethodPut, path: "/v1/teams/{team_id}/site-domains", id: "set-site-domains",
		summary: "Set the domains of the team's own site", access: teamAdmin}, s.setSiteDomains)
}

func (s *service) shoppingLinks(ctx context.Context, in *reportInput) (*reportOutput, error) {
	who := identityOf(ctx)
	if no := who.Actor.Permit(omniflow.ViewSalesStatistics, omniflow.Relation{}); no != nil {
		return nil, no
	}
	if !in.From.Before(in.To) {
		return nil, badInput("from must be before to")
	}
	counts, err := s.store.CountLinks(ctx, who.TeamID, in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := &reportOutput{}
	out.Body.ByMember, out.Body.ByBroadcast = []memberLinks{}, []broadcastLinks{}
	for _, c := range counts { // in order of members
		n := linkCounts{TotalMessages: c.Messages, ShoppingLinks: c.OfficialLinks + c.OtherLinks, OfficialLinks: c.OfficialLinks, OtherLinks: c.OtherLinks}
		out.Body.add(n)
		last := len(out.Body.ByMember) - 1
		if last < 0 || out.Body.ByMember[last].MemberID != c.MemberID {
			out.Body.ByMember = append(out.Body.ByMember, memberLinks{MemberID: c.MemberID})
			last++
		}
		out.Body.ByMember[last].add(n)
		out.Body.ByBroadcast = append(out.Body.ByBroadcast, broadcastLinks{BroadcastID: c.BroadcastID, MemberID: c.MemberID, linkCounts: n})
	}
	return out, nil
}

func (n *linkCounts) add(more linkCounts) {
	n.TotalMessages += more.TotalMessages
	n.ShoppingLinks += more.ShoppingLinks
	n.OfficialLinks += more.OfficialLinks
	n.OtherLinks += more.OtherLinks
}

func (s *service) setSiteDomains(ctx context.Context, in *siteDomainsInput) (*siteDomainsOutput, error) {
	out := &siteDomainsOutput{}
	out.Body.Domains = []string{}
	for _, d := range in.Body.Domains {
		domain, no := omniflow.ParseDomain(d)
		if no != nil {
			return nil, no
		}
		out.Body.Domains = append(out.Body.Domains, domain)
	}
	if err := s.store.SetSiteDomains(ctx, in.TeamID, out.Body.Domains); err != nil {
		return nil, err
	}
	return out, nil
}
