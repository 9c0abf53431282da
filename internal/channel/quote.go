package channel

import "omniflow/internal/omniflow"

// CheckQuote refuses with quote_unsupported a message that answers another one
// by name on a channel that is not WhatsApp (QUO-02, D-QUO-1).
func CheckQuote(m Message, ch omniflow.Channel) error {
	if m.QuotedID == "" {
		return nil
	}
	r := omniflow.Refuse(omniflow.QuoteUnsupported, "QUO-02", "on %s no message can be quoted", ch)
	r.Channels = []omniflow.Channel{ch}
	return r
}
