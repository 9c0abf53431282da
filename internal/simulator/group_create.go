package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// lateCreate is how much longer a late creation takes.
const lateCreate = 60 * time.Second

// groupTexts are subject and description as they stand in a body.
type groupTexts struct {
	Product     string  `json:"messaging_product"`
	Subject     *string `json:"subject"`
	Description *string `json:"description"`
	JoinMode    string  `json:"join_approval_mode"`
}

// parseGroupTexts decodes and checks the body of a creation or of settings.
func parseGroupTexts(body []byte) (groupTexts, *graphError) {
	var t groupTexts
	if json.Unmarshal(body, &t) != nil {
		return t, badParameter("The request body is not the JSON of a group.")
	}
	if t.Product != "whatsapp" {
		return t, badParameter("messaging_product must be whatsapp.")
	}
	if t.Subject != nil {
		*t.Subject = strings.TrimSpace(*t.Subject)
		if n := utf8.RuneCountInString(*t.Subject); n == 0 || n > 128 {
			return t, badParameter("subject is empty or longer than 128 characters.")
		}
	}
	if t.Description != nil && utf8.RuneCountInString(*t.Description) > 2048 {
		return t, badParameter("description is longer than 2048 characters.")
	}
	return t, nil
}

// createGroup is POST /{phone}/groups. The group comes to be later.
func (a *account) createGroup(r groupRequest) reply {
	t, bad := parseGroupTexts(r.body)
	switch {
	case bad != nil:
		return a.graphFail(*bad)
	case t.Subject == nil:
		return a.graphFail(*missing("subject"))
	case t.JoinMode != "" && t.JoinMode != "auto_approve" && t.JoinMode != "approval_required":
		return a.graphFail(*badParameter("join_approval_mode is not known."))
	}
	b := a.groupsBook()
	if b.alive >= b.settings.MaxGroups {
		return a.groupFail(131211)
	}
	b.alive++
	g := &group{
		id: newGroupID(a.id), requestID: newRequestID(), subject: *t.Subject, approval: t.JoinMode == "approval_required",
		response: answered(r.fate.fault), removed: map[string]bool{}, left: map[string]bool{}, invited: map[string]int{},
	}
	if t.Description != nil {
		g.description = *t.Description
	}
	delay := b.between(b.settings.CreateMinMS, b.settings.CreateMaxMS)
	if b.dice.draw(b.settings.LateCreate) {
		delay += lateCreate
	}
	rep := graphReply(http.StatusOK, map[string]string{"messaging_product": "whatsapp", "request_id": g.requestID})
	rep.hold = a.result(delay, func() event { return a.born(g, r.fate.code) })
	return rep
}

// answered names how a call was answered: "ok", or the fault that lost it.
func answered(fault Fault) string {
	switch fault {
	case Lost500, LostReset, LostHang, Truncated:
		return string(fault)
	}
	return "ok"
}

// born is the moment at which a group comes to be, or fails to.
func (a *account) born(g *group, failure int) event {
	b := a.groupsBook()
	if failure != 0 {
		b.alive--
		return a.createFailedEvent(g, failure)
	}
	g.made, g.link = a.clock(), newInviteLink()
	b.byID[g.id] = g
	b.list = append(b.list, g)
	return a.createdEvent(g)
}

// The page of a list: its size when nothing is said, and at most.
const (
	groupPageSize = 25
	groupPageMost = 1024
)

// listGroups is GET /{phone}/groups: newest first, without descriptions.
func (a *account) listGroups(r groupRequest) reply {
	var all []*group
	for _, g := range slices.Backward(a.groupsBook().list) {
		if !g.deleted {
			all = append(all, g)
		}
	}
	page, paging, bad := pageOf(r.http, all, func(g *group) string { return g.id })
	if bad != 0 {
		return a.groupFail(bad)
	}
	groups := make([]map[string]any, 0, len(page))
	for _, g := range page {
		groups = append(groups, map[string]any{"id": g.id, "subject": g.subject, "created_at": a.quoted(g.made.Unix())})
	}
	return graphReply(http.StatusOK, map[string]any{"data": map[string]any{"groups": groups}, "paging": paging})
}

// pageOf takes the page out of a list that limit, after and before ask for;
// bad is the code of the refusal. A cursor holds the id of an element.
func pageOf[T any](r *http.Request, all []T, id func(T) string) (page []T, paging map[string]any, bad int) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if q.Get("limit") == "" {
		limit, err = groupPageSize, nil
	}
	if err != nil || limit < 1 || limit > groupPageMost {
		return nil, nil, 100
	}
	from, to := 0, 0
	switch after, before := q.Get("after"), q.Get("before"); {
	case after != "":
		from = 1 + slices.IndexFunc(all, func(v T) bool { return cursor(id(v)) == after })
		if from == 0 {
			return nil, nil, 131059
		}
	case before != "":
		if to = slices.IndexFunc(all, func(v T) bool { return cursor(id(v)) == before }); to < 0 {
			return nil, nil, 131059
		}
		from = max(0, to-limit)
		limit = to - from
	}
	page = all[from:min(len(all), from+limit)]
	paging = map[string]any{}
	if len(page) > 0 {
		first, last := cursor(id(page[0])), cursor(id(page[len(page)-1]))
		paging["cursors"] = map[string]string{"before": first, "after": last}
		if from+len(page) < len(all) {
			paging["next"] = pageURL(r, "after", last)
		}
		if from > 0 {
			paging["previous"] = pageURL(r, "before", first)
		}
	}
	return page, paging, 0
}

func cursor(id string) string { return base64.RawURLEncoding.EncodeToString([]byte("c:" + id)) }

func pageURL(r *http.Request, key, value string) string {
	q := r.URL.Query()
	q.Del("after")
	q.Del("before")
	q.Del("access_token")
	q.Set(key, value)
	return "https://graph.facebook.com" + strings.TrimPrefix(r.URL.Path, "/whatsapp") + "?" + q.Encode()
}

// quoted is a number or a bool, by lot as a string.
func (a *account) quoted(v any) any {
	b := a.groupsBook()
	if !b.dice.draw(b.settings.Quoted) {
		return v
	}
	raw := mustJSON(v)
	return string(raw)
}
