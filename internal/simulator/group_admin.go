package simulator

import (
	"errors"
	"net/http"
)

var errNoAct = errors.New("in a group one can join, request, revoke, leave, send, and it can be suspended and cleared")

func (s *Server) groupAdminRoutes() {
	s.mux.HandleFunc("PUT /_sim/groups/settings", adminCall(each(func(g groupsOverDefaults) error {
		return s.SetGroups(GroupSettings(g))
	})))
	s.mux.HandleFunc("PUT /_sim/groups/faults", adminCall(each(s.SetGroupFaults)))
	s.mux.HandleFunc("POST /_sim/groups/users", adminCall(each(s.AddGroupUsers)))
	s.mux.HandleFunc("GET /_sim/groups", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, s.Groups())
	})
	s.mux.HandleFunc("GET /_sim/groups/deliveries", func(w http.ResponseWriter, _ *http.Request) {
		adminReply(w, http.StatusOK, s.GroupDeliveries())
	})
	s.mux.HandleFunc("GET /_sim/groups/calls", func(w http.ResponseWriter, r *http.Request) {
		adminReply(w, http.StatusOK, s.GroupCalls(r.URL.Query().Get("external_id")))
	})
	s.mux.HandleFunc("POST /_sim/groups/{id}/{act}", func(w http.ResponseWriter, r *http.Request) {
		adminCall(each(func(p groupActor) error { return s.groupAct(r.PathValue("id"), r.PathValue("act"), p) }))(w, r)
	})
}

// groupsOverDefaults decodes settings in which what is left out is the default.
type groupsOverDefaults GroupSettings

// UnmarshalJSON implements json.Unmarshaler.
func (g *groupsOverDefaults) UnmarshalJSON(raw []byte) error {
	settings := DefaultGroups()
	err := decodeStrict(raw, &settings)
	*g = groupsOverDefaults(settings)
	return err
}

// groupActor is who does something in a group, and what he writes or holds.
type groupActor struct {
	User string `json:"user"`
	Text string `json:"text"`
	Link string `json:"link"` // "" is the present one
}

// groupAct does what the last part of an administration path says.
func (s *Server) groupAct(id, act string, p groupActor) error {
	switch act {
	case "join":
		if p.Link != "" {
			return s.FollowLink(id, p.User, p.Link)
		}
		return s.Join(id, p.User)
	case "request":
		_, err := s.RequestToJoin(id, p.User)
		return err
	case "revoke":
		return s.RevokeRequest(id, p.User)
	case "leave":
		return s.Leave(id, p.User)
	case "send":
		_, err := s.SendToGroup(GroupMessage{GroupID: id, User: p.User, Text: p.Text})
		return err
	case "suspend", "clear":
		return s.Suspend(id, act == "suspend")
	}
	return errNoAct
}
