package main

import (
	"encoding/json"
	"fmt"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// envelopeOf makes of a dead letter's event a body such as its provider posts,
// so that a replay takes the same way as every webhook. A letter that holds a
// whole body goes as it is.
//
//	{"destination":"U…","events":[event]}                                       LINE
//	{"object":"page","entry":[{"id":"…","messaging":[event]}]}                  Facebook, Instagram
//	{"object":"whatsapp_business_account","entry":[{"id":"…","changes":[…]}]}   WhatsApp
func envelopeOf(l postgres.DeadLetter, a postgres.Account) ([]byte, error) {
	var shape struct {
		Entry  json.RawMessage `json:"entry"`
		Events json.RawMessage `json:"events"`
		Status json.RawMessage `json:"status"`
		Field  json.RawMessage `json:"field"`
		Type   string          `json:"type"`
	}
	if err := json.Unmarshal(l.Event, &shape); err != nil || shape.Entry != nil || shape.Events != nil {
		return l.Event, nil
	}
	one := []json.RawMessage{l.Event}
	switch l.Channel {
	case omniflow.LINE:
		return json.Marshal(map[string]any{"destination": a.ExternalID, "events": one})
	case omniflow.Facebook:
		return json.Marshal(map[string]any{"object": "page", "entry": []any{map[string]any{"id": a.ExternalID, "messaging": one}}})
	case omniflow.Instagram:
		return json.Marshal(map[string]any{"object": "instagram", "entry": []any{map[string]any{"id": a.ExternalID, "messaging": one}}})
	case omniflow.WhatsApp:
		change := any(l.Event)
		if field := groupFields[shape.Type]; field != "" {
			change = map[string]any{"field": field, "value": map[string]any{
				"messaging_product": "whatsapp", "metadata": map[string]any{"phone_number_id": a.ExternalID}, "groups": one}}
		} else if shape.Field == nil {
			kind := "messages"
			if shape.Status != nil {
				kind = "statuses"
			}
			change = map[string]any{"field": "messages", "value": map[string]any{
				"messaging_product": "whatsapp", "metadata": map[string]any{"phone_number_id": a.ExternalID}, kind: one}}
		}
		return json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": a.WABAID, "changes": []any{change}}}})
	}
	return nil, fmt.Errorf("no webhooks on %s", l.Channel)
}

// groupFields are the fields in which WhatsApp posts each type of group event.
var groupFields = map[string]string{
	"group_create": "group_lifecycle_update", "group_delete": "group_lifecycle_update",
	"group_participants_add": "group_participants_update", "group_participants_remove": "group_participants_update",
	"group_add_participants": "group_participants_update", "group_remove_participants": "group_participants_update",
	"group_join_request_created": "group_participants_update", "group_join_request_revoked": "group_participants_update",
	"group_settings_update": "group_settings_update",
	"group_suspend":         "group_status_update", "group_suspend_cleared": "group_status_update",
}
