package facebook

import (
	"omniflow/internal/channel/graph"
	"omniflow/internal/omniflow"
)

// page is Messenger's way of sending. The key comes back in the echo webhook
// (section 10). Files are uploaded once and sent by their id (section 2).
var page = graph.Page{
	Name: "Messenger", On: omniflow.Facebook, Keyed: true, Fits: fits,
	Kinds: []omniflow.MessageKind{omniflow.Image, omniflow.Video, omniflow.Audio, omniflow.File},
	File: func(m omniflow.Media) (graph.PagePayload, *omniflow.Refusal) {
		if m.Handle == "" {
			return graph.PagePayload{}, omniflow.Refuse(omniflow.MediaNotReady, "MSG", "the file was not uploaded")
		}
		return graph.PagePayload{ID: m.Handle}, nil
	},
}

// fits refuses a text of 2,000 UTF-16 units or more. The provider does not say
// what it counts; this is the strictest cheap test (section 18).
func fits(text string) *omniflow.Refusal {
	if n := omniflow.UTF16Len(text); n > omniflow.MaxFacebookText {
		return omniflow.Refuse(omniflow.MessageTooLong, "MSG",
			"Messenger takes at most %d UTF-16 units, the text has %d", omniflow.MaxFacebookText, n)
	}
	return nil
}
