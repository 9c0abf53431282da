package simulator

import (
	"bytes"
	"strings"
)

// The webhook fields of groups.
const (
	fieldLifecycle    = "group_lifecycle_update"
	fieldParticipants = "group_participants_update"
	fieldSettings     = "group_settings_update"
	fieldStatus       = "group_status_update"
)

// notice is one element of groups[], as an event; nil values are left out.
func (a *account) notice(field, kind string, g map[string]any) event {
	b := a.groupsBook()
	if b.dice.draw(b.settings.OtherTypes) {
		kind = strings.NewReplacer("group_participants_add", "group_add_participants",
			"group_participants_remove", "group_remove_participants").Replace(kind)
	}
	g["type"], g["timestamp"] = kind, a.quoted(a.clock().Unix())
	e := event{field: field}
	if by, ok := g["initiated_by"]; ok && b.dice.draw(b.settings.Beside) {
		delete(g, "initiated_by")
		e.beside = mustJSON(by)
	}
	for _, key := range sortedKeys(g) {
		if g[key] == nil {
			delete(g, key)
		}
	}
	e.body = mustJSON(g)
	return e
}

func (a *account) createdEvent(g *group) event {
	return a.notice(fieldLifecycle, "group_create", map[string]any{"group_id": g.id, "request_id": g.requestID,
		"subject": g.subject, "invite_link": g.link, "join_approval_mode": g.joinMode()})
}

func (a *account) createFailedEvent(g *group, code int) event {
	return a.notice(fieldLifecycle, "group_create", map[string]any{"request_id": g.requestID, "subject": g.subject,
		"description": g.description, "errors": groupErrors(code)})
}

func (a *account) deletedEvent(g *group, requestID string, code int) event {
	fields := map[string]any{"group_id": g.id, "request_id": requestID}
	if code != 0 {
		fields["errors"] = groupErrors(code)
	}
	return a.notice(fieldLifecycle, "group_delete", fields)
}

// joinedEvent is people who came by link; those who were approved have input too.
func (a *account) joinedEvent(g *group, people []string, approved bool) event {
	added := waIDs(people)
	for i := range added {
		if approved {
			added[i]["input"] = people[i]
		}
	}
	return a.notice(fieldParticipants, "group_participants_add",
		map[string]any{"group_id": g.id, "reason": "invite_link", "added_participants": added})
}

func (a *account) requestEvent(g *group, r *joinRequest, kind string) event {
	return a.notice(fieldParticipants, kind,
		map[string]any{"group_id": g.id, "join_request_id": r.id, "wa_id": r.person, "reason": "invite_link"})
}

func (a *account) leftEvent(g *group, person string) event {
	return a.notice(fieldParticipants, "group_participants_remove", map[string]any{"group_id": g.id,
		"removed_participants": waIDs([]string{person}), "initiated_by": "participant"})
}

func (a *account) removedEvent(g *group, requestID string, gone []string, failed []map[string]any) event {
	fields := map[string]any{"group_id": g.id, "request_id": requestID, "initiated_by": "business"}
	var removed []map[string]string
	for _, input := range gone {
		removed = append(removed, map[string]string{"input": input})
	}
	if removed != nil {
		fields["removed_participants"] = removed
	}
	switch {
	case len(failed) > 0 && removed != nil:
		fields["failed_participants"], fields["errors"] = failed, groupErrors(131201)
	case len(failed) > 0: // a total failure names the people only, and one reason
		fields["errors"] = failed[0]["errors"]
		for i := range failed {
			delete(failed[i], "errors")
		}
		fields["failed_participants"] = failed
	}
	return a.notice(fieldParticipants, "group_participants_remove", fields)
}

func (a *account) settingsEvent(g *group, requestID string, items map[string]map[string]any) event {
	fields := map[string]any{"group_id": g.id, "request_id": requestID}
	for name, item := range items {
		fields[name] = item
	}
	if failedItems(items) > 0 {
		fields["errors"] = groupErrors(131201)
	}
	return a.notice(fieldSettings, "group_settings_update", fields)
}

func (a *account) suspendedEvent(g *group) event {
	kind := "group_suspend_cleared"
	if g.suspended {
		kind = "group_suspend"
	}
	return a.notice(fieldStatus, kind, map[string]any{"group_id": g.id})
}

// groupChanges appends the changes of group events: one for all that stand
// together and are of one field, so that groups[] has several.
func groupChanges(b []byte, to Account, events []event, changes int) []byte {
	var run []event
	flush := func() {
		if len(run) == 0 {
			return
		}
		if changes++; changes > 1 {
			b = append(b, ',')
		}
		number, _ := phoneDigits(to.DisplayPhoneNumber)
		b = append(b, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
		b = append(quote(b, number), `,"phone_number_id":`...)
		b = append(quote(b, to.ExternalID), '}')
		if run[0].beside != nil {
			b = append(append(b, `,"initiated_by":`...), run[0].beside...)
		}
		b = join(append(b, `,"groups":[`...), run, `]},"field":`)
		b = append(quote(b, run[0].field), '}')
		run = nil
	}
	for _, e := range events {
		if e.field == "" {
			continue
		}
		if len(run) > 0 && (run[0].field != e.field || !bytes.Equal(run[0].beside, e.beside)) {
			flush()
		}
		run = append(run, e)
	}
	flush()
	return b
}
