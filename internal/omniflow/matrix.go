package omniflow

import "slices"

// ContentFacts is what the content rules need to know about one message.
type ContentFacts struct {
	Kind      MessageKind
	HasFile   bool // a saved reply whose stored content holds a file (RPL-06)
	BotModule bool // a saved reply that is a bot module
	// BotChannels are the channels that the bot module fits (RPL-09).
	BotChannels []Channel
}

// webMatrix is BRD-06: the channels to which a kind may go from the Web. Text
// may go to all four (D-BRD-1), a template to WhatsApp (BRD-03).
var webMatrix = map[MessageKind][]Channel{
	Text:         {LINE, Facebook, Instagram, WhatsApp},
	Emoji:        {LINE, Facebook, Instagram, WhatsApp},
	Image:        {LINE, Facebook, Instagram, WhatsApp},
	Video:        {LINE, Facebook, WhatsApp},
	File:         {Facebook, WhatsApp},
	SavedReply:   {LINE, Facebook, Instagram, WhatsApp},
	TemplateKind: {WhatsApp},
}

// appMatrix is BRD-07: the same from the app. Emoji are typed (BRD-08).
var appMatrix = map[MessageKind][]Channel{
	Text:         {LINE, Facebook, Instagram, WhatsApp},
	Emoji:        {LINE, Facebook, Instagram, WhatsApp},
	Image:        {LINE, Facebook, Instagram, WhatsApp},
	Video:        {LINE, Facebook, Instagram, WhatsApp},
	File:         {Facebook, Instagram, WhatsApp},
	SavedReply:   {LINE, Facebook, Instagram, WhatsApp},
	TemplateKind: {WhatsApp},
}

// fileReplies are the channels to which a saved reply with a file may go
// (RPL-06, D-BRD-5).
var fileReplies = []Channel{Facebook, WhatsApp}

// ContentAllowed says whether a broadcast from client may hold kind for ch
// (BRD-06, BRD-07). "" counts as Web.
func ContentAllowed(client Client, ch Channel, kind MessageKind) bool {
	matrix := webMatrix
	if client == App {
		matrix = appMatrix
	}
	return slices.Contains(matrix[kind], ch)
}

// CheckContent refuses with broadcast_content_unsupported, listing the
// channels, if any content may not go to any of channels: the whole broadcast
// is refused before anything is sent (D-BRD-3). Saved replies come with their
// contents.
func CheckContent(client Client, channels []Channel, contents []Content) *Refusal {
	facts := make([]ContentFacts, len(contents))
	for i, c := range contents {
		facts[i] = ContentFacts{Kind: c.Kind, HasFile: c.Kind == SavedReply &&
			slices.ContainsFunc(c.Contents, func(c Content) bool { return c.Kind == File })}
	}
	return CheckContentFacts(client, channels, facts)
}

// CheckContentFacts is CheckContent for contents of every kind.
func CheckContentFacts(client Client, channels []Channel, contents []ContentFacts) *Refusal {
	for _, c := range contents {
		if bad := refusing(channels, func(ch Channel) bool { return ContentAllowed(client, ch, c.Kind) }); len(bad) > 0 {
			return unsupportedContent(bad, c.Kind, "BRD-06", "")
		}
		if c.HasFile {
			if bad := refusing(channels, func(ch Channel) bool { return slices.Contains(fileReplies, ch) }); len(bad) > 0 {
				return unsupportedContent(bad, c.Kind, "D-BRD-5", TextSavedReplyFileUnsupported)
			}
		}
		if c.BotModule {
			if bad := refusing(channels, func(ch Channel) bool { return slices.Contains(c.BotChannels, ch) }); len(bad) > 0 {
				return unsupportedContent(bad, c.Kind, "RPL-09", TextSavedReplyBotUnsupported)
			}
		}
	}
	return nil
}

// refusing lists, sorted and each once, the channels that allowed refuses.
func refusing(channels []Channel, allowed func(Channel) bool) []Channel {
	var bad []Channel
	for _, ch := range channels {
		if !allowed(ch) && !slices.Contains(bad, ch) {
			bad = append(bad, ch)
		}
	}
	slices.Sort(bad)
	return bad
}

func unsupportedContent(bad []Channel, kind MessageKind, rule string, key TextKey) *Refusal {
	r := Refuse(BroadcastContentUnsupported, rule, "%s cannot be sent to %v", kind, bad)
	r.Channels, r.Key = bad, key
	return r
}
