package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image/jpeg"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// readGroup is GET /{group}; without fields it gives the id alone.
func (a *account) readGroup(g *group, r groupRequest) reply {
	out := map[string]any{"messaging_product": "whatsapp", "id": g.id}
	for _, field := range strings.Split(r.http.URL.Query().Get("fields"), ",") {
		switch strings.TrimSpace(field) {
		case "":
		case "subject":
			out[field] = g.subject
		case "description":
			out[field] = g.description
		case "suspended":
			out[field] = a.quoted(g.suspended)
		case "creation_timestamp":
			out[field] = a.quoted(g.made.Unix())
		case "total_participant_count":
			out[field] = a.quoted(len(g.members))
		case "participants":
			out[field] = waIDs(g.members)
		case "join_approval_mode":
			out[field] = g.joinMode()
		default:
			return a.graphFail(*badParameter("Tried accessing nonexisting field (" + field + ")."))
		}
	}
	return graphReply(http.StatusOK, out)
}

func (g *group) joinMode() string {
	if g.approval {
		return "approval_required"
	}
	return "auto_approve"
}

func waIDs(people []string) []map[string]string {
	list := make([]map[string]string, 0, len(people))
	for _, p := range people {
		list = append(list, map[string]string{"wa_id": p})
	}
	return list
}

// inviteLink is GET /{group}/invite_link.
func (a *account) inviteLink(g *group, _ groupRequest) reply {
	return graphReply(http.StatusOK, map[string]string{"messaging_product": "whatsapp", "invite_link": g.link})
}

// resetLink is POST /{group}/invite_link: all older links are dead.
func (a *account) resetLink(g *group, r groupRequest) reply {
	if _, bad := parseGroupTexts(r.body); bad != nil {
		return a.graphFail(*bad)
	}
	g.link = newInviteLink()
	return a.inviteLink(g, r)
}

// accepted is the answer to a change, in one of the shapes in circulation.
func (a *account) accepted(requestID string) reply {
	b := a.groupsBook()
	if b.dice.draw(b.settings.WithRequestID) {
		return graphReply(http.StatusOK, map[string]string{"messaging_product": "whatsapp", "request_id": requestID})
	}
	return graphReply(http.StatusOK, map[string]bool{"success": true})
}

// change does something later and tells the result of it.
func (a *account) change(do func(requestID string) event) reply {
	b, id := a.groupsBook(), newRequestID()
	rep := a.accepted(id)
	rep.hold = a.result(b.between(b.settings.ChangeMinMS, b.settings.ChangeMaxMS), func() event { return do(id) })
	return rep
}

// deleteGroup is DELETE /{group}.
func (a *account) deleteGroup(g *group, r groupRequest) reply {
	return a.change(func(id string) event {
		code := r.fate.code
		if code == 0 && g.deleted {
			code = 131041
		}
		if code == 0 {
			g.deleted, g.requests = true, nil
			a.groupsBook().alive--
		}
		return a.deletedEvent(g, id, code)
	})
}

// groupPicture is the picture of a settings call.
type groupPicture struct {
	data []byte
	mime string
}

// updateGroup is POST /{group}: subject, description, picture, each for itself.
func (a *account) updateGroup(g *group, r groupRequest) reply {
	t, picture, bad := groupSettingsBody(r)
	if bad != nil {
		return a.graphFail(*bad)
	}
	if t.Subject == nil && t.Description == nil && picture == nil {
		return a.graphFail(*missing("subject"))
	}
	return a.change(func(id string) event {
		items := map[string]map[string]any{}
		set := func(name, fault string, text *string, to *string) {
			if text == nil {
				return
			}
			code := r.fate.about(fault)
			if code == 0 {
				*to = *text
			}
			items[name] = a.settingItem(code)
			items[name]["text"] = *text
		}
		set("group_subject", "subject", t.Subject, &g.subject)
		set("group_description", "description", t.Description, &g.description)
		if picture != nil {
			code := r.fate.about("picture")
			if code == 0 {
				code = picture.fault()
			}
			sum := sha256.Sum256(picture.data)
			items["profile_picture"] = a.settingItem(code)
			items["profile_picture"]["mime_type"], items["profile_picture"]["sha256"] = picture.mime, hex.EncodeToString(sum[:])
		}
		return a.settingsEvent(g, id, items)
	})
}

// about is the asynchronous error of an item, or 0.
func (f groupFate) about(item string) int {
	if f.hits(item) {
		return f.code
	}
	return 0
}

func (a *account) settingItem(code int) map[string]any {
	item := map[string]any{"update_successful": a.quoted(code == 0)}
	if code != 0 {
		item["errors"] = groupErrors(code)
	}
	return item
}

// groupSettingsBody reads JSON, or a form with the picture as file.
func groupSettingsBody(r groupRequest) (groupTexts, *groupPicture, *graphError) {
	kind, params, _ := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		t, bad := parseGroupTexts(r.body)
		return t, nil, bad
	}
	form, err := multipart.NewReader(bytes.NewReader(r.body), params["boundary"]).ReadForm(maxBody)
	if err != nil {
		return groupTexts{}, nil, badParameter("The request body is not a form.")
	}
	fields := map[string]string{}
	for name, values := range form.Value {
		fields[name] = values[0]
	}
	t, bad := parseGroupTexts(mustJSON(fields))
	for _, name := range []string{"file", "profile_picture_file"} {
		for _, header := range form.File[name] {
			if f, err := header.Open(); err == nil {
				var data bytes.Buffer
				_, _ = data.ReadFrom(f) // from memory
				_ = f.Close()
				return t, &groupPicture{data.Bytes(), header.Header.Get("Content-Type")}, bad
			}
		}
	}
	return t, nil, bad
}

// fault is what is wrong with a picture: no JPEG, not square, or too small.
func (p groupPicture) fault() int {
	size, err := jpeg.DecodeConfig(bytes.NewReader(p.data))
	switch {
	case err != nil:
		return 131053
	case size.Width != size.Height:
		return 131209
	case size.Width < 192:
		return 131210
	}
	return 0
}

// failedItems says how many of a settings call's items failed.
func failedItems(items map[string]map[string]any) int {
	n := 0
	for _, item := range items {
		if item["errors"] != nil {
			n++
		}
	}
	return n
}

// sortedKeys are the names in a map, in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
