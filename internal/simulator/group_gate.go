package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

func (s *Server) groupRoutes() {
	const phone, node = "/whatsapp/{version}/{id}/groups", "/whatsapp/{version}/{id}"
	s.mux.HandleFunc("POST "+phone, s.groupPhoneCall(GroupCreate, (*account).createGroup))
	s.mux.HandleFunc("GET "+phone, s.groupPhoneCall(GroupList, (*account).listGroups))
	for method, call := range map[string]groupNodeCall{
		"GET " + node:                       {GroupRead, (*account).readGroup},
		"POST " + node:                      {GroupUpdate, (*account).updateGroup},
		"DELETE " + node:                    {GroupDelete, (*account).deleteGroup},
		"GET " + node + "/invite_link":      {GroupInviteLink, (*account).inviteLink},
		"POST " + node + "/invite_link":     {GroupResetLink, (*account).resetLink},
		"GET " + node + "/join_requests":    {GroupJoinRequests, (*account).joinRequests},
		"POST " + node + "/join_requests":   {GroupApprove, (*account).approve},
		"DELETE " + node + "/join_requests": {GroupReject, (*account).reject},
		"DELETE " + node + "/participants":  {GroupRemove, (*account).removeMembers},
	} {
		s.mux.HandleFunc(method, s.groupCall(call))
	}
	s.groupAdminRoutes()
}

// groupRequest is one group call as its operation needs it.
type groupRequest struct {
	http *http.Request
	body []byte
	fate groupFate
}

// groupFate is what goes wrong with a group call on purpose.
type groupFate struct {
	fault Fault
	code  int // asynchronous error
	item  string
}

// hits says whether an asynchronous error is about an item.
func (f groupFate) hits(item string) bool { return f.code != 0 && (f.item == "" || f.item == item) }

type groupNodeCall struct {
	op   GroupOperation
	take func(*account, *group, groupRequest) reply
}

// groupPhoneCall serves a call on the number's own path.
func (s *Server) groupPhoneCall(op GroupOperation, take func(*account, groupRequest) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, refused := s.graphAccount(r, WhatsApp)
		if refused != nil {
			s.write(w, r, *refused)
			return
		}
		body, ok := readBody(w, r)
		s.write(w, r, a.groupOperation(op, r, body, ok, take))
	}
}

// groupCall serves a call on a group's path; an id that is no group's is not
// for us.
func (s *Server) groupCall(c groupNodeCall) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		phone := groupPhone(id)
		if phone == "" && r.Method == http.MethodGet && c.op == GroupRead {
			s.whatsappFile(w, r) // the path of a file looks the same
			return
		}
		if phone == "" {
			s.graphUnknown(w, r)
			return
		}
		r.SetPathValue("id", phone)
		a, refused := s.graphAccount(r, WhatsApp)
		if refused != nil {
			s.write(w, r, *refused)
			return
		}
		body, ok := readBody(w, r)
		s.write(w, r, a.groupOperation(c.op, r, body, ok, func(a *account, req groupRequest) reply {
			g := a.live(id)
			if g == nil {
				return a.groupFail(131041)
			}
			return c.take(a, g, req)
		}))
	}
}

// groupOperation passes a call through the limits and faults, and does it.
func (a *account) groupOperation(op GroupOperation, r *http.Request, body []byte, whole bool, take func(*account, groupRequest) reply) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	fate, refused := a.groupGate(op)
	if refused != nil {
		return *refused
	}
	if !whole {
		return a.graphFail(*badParameter("The request body is too large."))
	}
	rep := take(a, groupRequest{http: r, body: body, fate: fate})
	if rep.status >= 300 {
		return rep
	}
	return a.spoil(rep, fate.fault)
}

// groupGate counts a call and decides what does not depend on its content.
func (a *account) groupGate(op GroupOperation) (groupFate, *reply) {
	b := a.groupsBook()
	b.calls[op]++
	refuse := func(rep reply) (groupFate, *reply) { return groupFate{}, &rep }
	if !b.arrive(a.clock()) {
		return refuse(withUsage(a, a.groupFail(131208), "whatsapp"))
	}
	if code := a.faults.cfg.StopCode; code != 0 {
		a.counts.fault("stop_code")
		return refuse(a.stopped(code))
	}
	if b.settings.NotEligible {
		return refuse(a.groupFail(131215))
	}
	fate, code := b.pick(op)
	if code != 0 {
		return refuse(a.groupFail(code))
	}
	if fate == (groupFate{}) {
		fate.fault, _ = a.faults.pick([]string{"group:" + string(op)})
	}
	switch fate.fault {
	case Throttle:
		a.counts.fault(Throttle)
		return refuse(withUsage(a, a.groupFail(131208), "whatsapp"))
	case Unavailable:
		a.counts.fault(Unavailable)
		return refuse(a.unavailable())
	case Refuse:
		a.counts.fault(Refuse)
		return refuse(reply{fault: Refuse})
	case Permanent:
		a.counts.fault(Permanent)
		return refuse(a.graphFail(*badParameter("The group call can never succeed.")))
	}
	return fate, nil
}

// arrive says whether the limit of group calls lets one more in.
func (b *groupBook) arrive(now time.Time) bool {
	limit := b.settings.OperationsPerMinute
	b.operations.expire(now.Add(-time.Minute).UnixNano())
	if limit > 0 && b.operations.n >= limit {
		return false
	}
	b.operations.push(now.UnixNano())
	return true
}

// pick takes the next fault of an operation: its fate, or the code of an error
// to answer at once.
func (b *groupBook) pick(op GroupOperation) (groupFate, int) {
	for i := range b.next {
		n := b.next[i]
		if n.Operation != op && n.Operation != "*" {
			continue
		}
		if b.next[i].Times--; b.next[i].Times == 0 {
			b.next = slices.Delete(b.next, i, i+1)
		}
		switch {
		case n.Code == 0:
			return groupFate{fault: n.Fault}, 0
		case n.Async:
			return groupFate{code: n.Code, item: n.Item}, 0
		}
		return groupFate{}, n.Code
	}
	return groupFate{}, 0
}

// groupFail answers with an error of section 3.7, or any other code.
func (a *account) groupFail(code int) reply {
	status := http.StatusBadRequest
	switch code {
	case 131207:
		status = http.StatusForbidden
	case 131208:
		status = http.StatusTooManyRequests
	case 131000, 131016:
		status = http.StatusInternalServerError
	}
	return a.graphFail(graphError{status: status, code: code, title: groupTitle(code), details: groupTitle(code) + "."})
}

// groupTitle names an error in words.
func groupTitle(code int) string {
	switch code {
	case 131020:
		return "Cannot send a message to a group with only one participant"
	case 131041:
		return "Group does not exist"
	case 131059:
		return "Invalid cursor"
	case 131201:
		return "Partial success"
	case 131202:
		return "Duplicate participants"
	case 131203:
		return "Unable to add participant to group"
	case 131204:
		return "Too many participants"
	case 131207:
		return "Group is suspended"
	case 131208:
		return "Too many group operations"
	case 131209:
		return "Picture is not square"
	case 131210:
		return "Picture is too small"
	case 131211:
		return "Group creation limit reached"
	case 131212:
		return "Participant is not in the group"
	case 131213:
		return "Join request does not exist"
	case 131214:
		return "Group creation is disabled"
	case 131215:
		return "Phone number is not eligible for groups"
	}
	return "Something went wrong"
}

// groupErrors is errors[] of an item or a webhook.
func groupErrors(code int) []map[string]any {
	title := groupTitle(code)
	return []map[string]any{{"code": code, "message": fmt.Sprintf("(#%d) %s", code, title), "title": title,
		"error_data": map[string]string{"details": title + "."}}}
}
