package line

import (
	"fmt"
	"strings"

	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"

	"omniflow/internal/channel"
	"omniflow/internal/omniflow"
)

// message1to1 reads what a customer wrote. A text is decided by the team's
// keywords, but for a code of the social subscription; everything else is
// media, a type newer than the SDK too (D-CNV-4).
func message1to1(e webhook.MessageEvent) channel.Event {
	if e.Message == nil {
		return about(e.Source, e.Timestamp, e.Type)
	}
	event := channel.Event{MessageType: e.Message.GetType(), Received: omniflow.ReceivedMedia}
	switch m := e.Message.(type) {
	case webhook.TextMessageContent:
		event.ProviderID, event.Text, event.QuotedID = m.Id, m.Text, m.QuotedMessageId
		event.Received = omniflow.ReadLINEText(m.Text)
	case webhook.ImageMessageContent:
		event.ProviderID, event.Media = m.Id, kept(m.Id, "image", m.ContentProvider)
	case webhook.VideoMessageContent:
		event.ProviderID, event.Media = m.Id, kept(m.Id, "video", m.ContentProvider)
	case webhook.AudioMessageContent:
		event.ProviderID, event.Media = m.Id, kept(m.Id, "audio", m.ContentProvider)
	case webhook.FileMessageContent:
		event.ProviderID, event.Text = m.Id, m.FileName
		event.Media = []omniflow.MediaRef{{Handle: m.Id, Kind: "file", Name: m.FileName}}
	case webhook.LocationMessageContent:
		event.ProviderID, event.Text = m.Id, place(m)
	case webhook.StickerMessageContent:
		event.ProviderID, event.Text, event.QuotedID = m.Id, m.Text, m.QuotedMessageId
		event.Sticker = sticker(m)
	default:
		event.ProviderID = e.WebhookEventId
	}
	return incoming(e.Source, e.Timestamp, event)
}

// postback1to1 reads a tapped button. Changing to another rich menu posts back
// too, and says nothing.
func postback1to1(e webhook.PostbackEvent) channel.Event {
	if e.Postback == nil || e.Postback.Params["newRichMenuAliasId"] != "" {
		return about(e.Source, e.Timestamp, "postback")
	}
	kind, text := omniflow.ReadLINEPostback(e.Postback.Data)
	return incoming(e.Source, e.Timestamp, channel.Event{
		ProviderID: e.WebhookEventId, MessageType: "postback", Received: kind, Text: text,
	})
}

// kept is a file that LINE keeps under the id of its message. One that another
// app sent in the customer's name lies at an address of that app, from which
// nothing is fetched.
func kept(id, kind string, provider *webhook.ContentProvider) []omniflow.MediaRef {
	if provider != nil && provider.Type == webhook.ContentProviderTYPE_EXTERNAL {
		id = ""
	}
	return []omniflow.MediaRef{{Handle: id, Kind: kind}}
}

func place(m webhook.LocationMessageContent) string {
	text := strings.TrimSpace(m.Title + " " + m.Address)
	return strings.TrimSpace(text + fmt.Sprintf(" %g,%g", m.Latitude, m.Longitude))
}

// displayable are the forms of stickers whose picture has an address of its
// own. A collage of several (STK-04) has none, nor may a form not known yet.
var displayable = map[webhook.StickerMessageContentSTICKER_RESOURCE_TYPE]bool{
	webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_STATIC: true, webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_ANIMATION: true,
	webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_SOUND: true, webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_ANIMATION_SOUND: true,
	webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_POPUP: true, webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_POPUP_SOUND: true,
	webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_CUSTOM: true, webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_MESSAGE: true,
	webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_NAME_TEXT: true, webhook.StickerMessageContentSTICKER_RESOURCE_TYPE_PER_STICKER_TEXT: true,
}

func sticker(m webhook.StickerMessageContent) *omniflow.LINESticker {
	return &omniflow.LINESticker{PackageID: m.PackageId, StickerID: m.StickerId,
		Displayable: displayable[m.StickerResourceType] && m.PackageId != "" && m.StickerId != ""}
}
