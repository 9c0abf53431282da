package truth

import (
	"context"
	"fmt"
	"net/http"

	"omniflow/internal/simulator"
)

// Write lets a person write to an account; the provider's signed webhook goes
// to our API as the account's webhooks travel. It returns the id by which a
// receiver tells repetitions.
func (s Simulators) Write(ctx context.Context, a Account, user, text string) (string, error) {
	var out struct {
		EventIDs []string `json:"event_ids"`
	}
	err := s.call(ctx, http.MethodPost, "/_sim/inbound",
		simulator.InboundMessage{Channel: simulator.Channel(a.Channel), ExternalID: a.ExternalID, User: user, Text: text}, &out)
	if err != nil {
		return "", err
	}
	if len(out.EventIDs) != 1 {
		return "", fmt.Errorf("one message made %d events", len(out.EventIDs))
	}
	return out.EventIDs[0], nil
}
