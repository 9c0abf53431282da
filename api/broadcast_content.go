package main

import (
	"context"

	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

// freeze puts the files and the contents of saved replies that messages name
// into them: what is sent is what they were when the broadcast was accepted.
// It returns the facts that the matrix of contents judges (RPL-06, RPL-09).
func (s *service) freeze(ctx context.Context, who identity, messages []omniflow.Content) ([]omniflow.ContentFacts, error) {
	facts := make([]omniflow.ContentFacts, len(messages))
	for i := range messages {
		m := &messages[i]
		m.Media, m.Contents = nil, nil
		facts[i].Kind = m.Kind
		switch m.Kind {
		case omniflow.TemplateKind:
			m.Text = ""
			if err := s.freezeHeader(ctx, who, m.Template); err != nil {
				return nil, err
			}
		case omniflow.Image, omniflow.Video, omniflow.File:
			if err := s.freezeMedia(ctx, who, m); err != nil {
				return nil, err
			}
		case omniflow.SavedReply:
			reply, err := s.usableReply(ctx, who, m.SavedReplyID)
			if err != nil {
				return nil, err
			}
			m.Contents = reply.Contents
			for _, c := range reply.Contents {
				facts[i].HasFile = facts[i].HasFile || c.Kind == omniflow.File
			}
			if reply.Module != nil {
				facts[i].BotModule, facts[i].BotChannels = true, reply.Module.Channels
			}
		}
	}
	return facts, nil
}

func (s *service) freezeMedia(ctx context.Context, who identity, m *omniflow.Content) error {
	file, err := s.store.FindMedia(ctx, who.TeamID, m.MediaID)
	if err != nil {
		return err
	}
	m.Media = &file
	return nil
}

// freezeHeader puts the file that a template's header names into it, if
// WhatsApp takes it as one.
func (s *service) freezeHeader(ctx context.Context, who identity, t *omniflow.Template) error {
	if t == nil || t.Header == nil {
		return nil
	}
	file, err := s.store.FindMedia(ctx, who.TeamID, t.Header.MediaID)
	if err != nil {
		return err
	}
	t.Header.Media = &file
	if no := omniflow.CheckBroadcastMedia(omniflow.WhatsApp, t.Header.Kind, file); no != nil {
		return no
	}
	return nil
}

// checkContents applies BRD-06, BRD-07 and RPL-06 to RPL-09 to all channels of
// an audience: any content that one of them cannot have refuses the whole
// broadcast (D-BRD-3). Bot modules are run by another system than this one.
func checkContents(r omniflow.BroadcastRequest, facts []omniflow.ContentFacts, audience postgres.AudienceCount) *omniflow.Refusal {
	var channels []omniflow.Channel
	for _, ch := range omniflow.BroadcastChannels {
		if audience.Channels[ch] > 0 {
			channels = append(channels, ch)
		}
	}
	if no := omniflow.CheckContentFacts(r.Client, channels, facts); no != nil {
		return no
	}
	for _, f := range facts {
		if f.BotModule {
			return omniflow.Refuse(omniflow.ContentUnsupported, "RPL-04", "a broadcast cannot send a bot module")
		}
	}
	return nil
}

// checkContent measures one content for one channel. A text with the name
// variable is measured with the shortest name; each recipient's is measured
// again at the send.
func checkContent(ch omniflow.Channel, c omniflow.Content) *omniflow.Refusal {
	switch {
	case c.Media != nil:
		return firstRefusal(omniflow.CheckBroadcastMedia(ch, c.Kind, *c.Media), omniflow.CheckCaption(ch, omniflow.FillName(c.Text, "x")))
	}
	return omniflow.CheckText(ch, omniflow.FillName(c.Text, "x"))
}
