package simulator

import (
	"encoding/json"
)

// removeMembers is DELETE /{group}/participants, 1 to 8 of them. The result
// comes by webhook; who was removed never comes back.
func (a *account) removeMembers(g *group, r groupRequest) reply {
	inputs, code := a.removable(g, r.body)
	if code != 0 {
		return a.groupFail(code)
	}
	return a.change(func(id string) event {
		var gone []string
		failed := []map[string]any{}
		for _, input := range inputs {
			code := a.remove(g, a.personID(input), r.fate)
			if code == 0 {
				gone = append(gone, input)
				continue
			}
			failed = append(failed, map[string]any{"input": input, "errors": groupErrors(code)})
		}
		return a.removedEvent(g, id, gone, failed)
	})
}

// removable checks the body of a removal.
func (a *account) removable(g *group, raw []byte) (inputs []string, code int) {
	var body struct {
		Product      string `json:"messaging_product"`
		Participants []struct {
			User string `json:"user"`
		} `json:"participants"`
	}
	if json.Unmarshal(raw, &body) != nil || body.Product != "whatsapp" || len(body.Participants) == 0 {
		return nil, 100
	}
	if len(body.Participants) > maxMembers {
		return nil, 131204
	}
	seen, members := map[string]bool{}, 0
	for _, p := range body.Participants {
		person := a.personID(p.User)
		if seen[person] {
			return nil, 131202
		}
		seen[person] = true
		if g.member(person) {
			members++
		}
		inputs = append(inputs, p.User)
	}
	if members == 0 {
		return nil, 131212
	}
	return inputs, 0
}

// remove puts one person out; it returns 0 or why not.
func (a *account) remove(g *group, person string, fate groupFate) int {
	switch code := a.groupsBook().people[person].RemoveCode; {
	case !g.member(person):
		return 131212
	case code != 0:
		return code
	case fate.hits(person):
		return fate.code
	}
	g.drop(person)
	g.removed[person] = true
	return 0
}
