package main

import (
	"context"

	"github.com/google/uuid"

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
		m.Media, m.Contents, m.Module, m.Promotional = nil, nil, "", false
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
			facts[i] = freezeReply(m, reply.SavedReplyDraft)
		}
	}
	return facts, nil
}

// freezeReply puts what a saved reply sends into the message that names it.
func freezeReply(m *omniflow.Content, reply omniflow.SavedReplyDraft) omniflow.ContentFacts {
	facts := omniflow.ContentFacts{Kind: m.Kind}
	m.Contents = reply.Sends()
	for _, c := range m.Contents {
		facts.HasFile = facts.HasFile || c.Kind == omniflow.File
	}
	if reply.Module != nil {
		m.Module = reply.Module.Type
		facts.BotModule, facts.BotChannels = true, reply.Module.Channels
	}
	return facts
}

func (s *service) freezeMedia(ctx context.Context, who identity, m *omniflow.Content) error {
	file, err := s.store.FindMedia(ctx, who.TeamID, m.MediaID)
	if err != nil {
		return err
	}
	m.Media = &file
	return nil
}

// freezeHours puts the team's time zone into hours that name none.
func (s *service) freezeHours(ctx context.Context, teamID uuid.UUID, h *omniflow.Hours) error {
	if h == nil || h.Timezone != "" {
		return nil
	}
	team, err := s.store.LoadTeam(ctx, teamID)
	if err != nil {
		return err
	}
	h.Timezone = team.Timezone
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
// broadcast (D-BRD-3). Bot modules are made in another system than this one,
// which must have said what they send (BRD-13).
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
	for _, m := range r.Messages {
		if m.Module != "" && len(m.Contents) == 0 {
			return omniflow.Refuse(omniflow.ContentUnsupported, "RPL-04", "it is not known what the bot module sends: save the reply with the contents of its module")
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
