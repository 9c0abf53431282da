package instagram

import (
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// page is Instagram's way of sending. Nothing of the key travels: Instagram
// documents no metadata, and an echo is matched by its content (section 8).
// Whether ids of uploads work is not confirmed for accounts with an Instagram
// login, so files go by link (section 1). Audio is an ✕ of FIL-01.
var page = graph.Page{
	Name: "Instagram", On: omniflow.Instagram, Fits: fits,
	Kinds: []omniflow.MessageKind{omniflow.Image, omniflow.Video, omniflow.File},
	File: func(m omniflow.Media) (graph.PagePayload, *omniflow.Refusal) {
		if m.Link == "" {
			return graph.PagePayload{}, omniflow.Refuse(omniflow.MediaLinkUnavailable, "MSG", "the file has no public address")
		}
		return graph.PagePayload{URL: m.Link}, nil
	},
}

// fits refuses a text of over 1,000 bytes of UTF-8; some pages of the provider
// say characters, and bytes are the stricter reading (section 3).
func fits(text string) *omniflow.Refusal {
	if len(text) > omniflow.MaxInstagramTextBytes {
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"Instagram takes %d bytes, the text has %d", omniflow.MaxInstagramTextBytes, len(text))
	}
	return nil
}
