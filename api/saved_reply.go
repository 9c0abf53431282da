package main

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"omniflow/internal/media"
	"omniflow/internal/omniflow"
	"omniflow/internal/postgres"
)

type savedReplyDraft struct {
	Topic    string                  `json:"topic" maxLength:"200"`
	Kind     omniflow.SavedReplyKind `json:"kind" enum:"custom,bot_module"`
	Audience omniflow.ReplyAudience  `json:"audience" enum:"all_members,only_myself,given_roles,given_stores"`
	Roles    []omniflow.Role         `json:"roles,omitempty" doc:"Of given_roles."`
	Stores   []string                `json:"stores,omitempty" doc:"Of given_stores."`
	Contents []omniflow.Content      `json:"contents,omitempty" doc:"1 to 5: text, image, video, file; of a custom reply."`
	Module   *omniflow.Module        `json:"module,omitempty" doc:"Of a bot_module reply."`
}

type createSavedReplyInput struct{ Body savedReplyDraft }

type savedReplyBody struct {
	ID        uuid.UUID `json:"id"`
	MemberID  uuid.UUID `json:"member_id"`
	CreatedAt time.Time `json:"created_at"`
	savedReplyDraft
}

type savedReplyOutput struct{ Body savedReplyBody }

type listSavedRepliesInput struct{ PageInput }

type savedReplyListOutput struct{ Body listBody[savedReplyBody] }

// SavedReplyPath is the path of one saved reply.
type SavedReplyPath struct {
	ID uuid.UUID `path:"id"`
}

func (s *service) addSavedReplies() {
	register(s, route{method: http.MethodPost, path: "/v1/saved-replies", id: "create-saved-reply", summary: "Create a saved reply",
		access: memberOnly, status: http.StatusCreated}, s.createSavedReply)
	register(s, route{method: http.MethodGet, path: "/v1/saved-replies", id: "list-saved-replies", summary: "List the saved replies that apply to me",
		access: memberOnly}, s.listSavedReplies)
	register(s, route{method: http.MethodGet, path: "/v1/saved-replies/{id}", id: "get-saved-reply", summary: "Show a saved reply", access: memberOnly}, s.getSavedReply)
	register(s, route{method: http.MethodDelete, path: "/v1/saved-replies/{id}", id: "delete-saved-reply", summary: "Delete a saved reply",
		access: memberOnly, status: http.StatusNoContent}, s.deleteSavedReply)
}

// createSavedReply stores a saved reply with its files as they are now, images
// made to fit (RPL-05).
func (s *service) createSavedReply(ctx context.Context, in *createSavedReplyInput) (*savedReplyOutput, error) {
	who, d := identityOf(ctx), omniflow.SavedReplyDraft(in.Body)
	member, err := s.replyMember(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, r := range d.Roles {
		if _, no := omniflow.ParseRole(string(r)); no != nil {
			return nil, no
		}
	}
	if no := d.PermitSave(member); no != nil {
		return nil, no
	}
	if no := d.Check(); no != nil {
		return nil, no
	}
	contents := d.Sends()
	for i := range contents {
		if err := s.freezeReplyFile(ctx, who, &contents[i]); err != nil {
			return nil, err
		}
	}
	r, err := s.store.CreateSavedReply(ctx, postgres.SavedReply{ID: newResourceID(ctx), TeamID: who.TeamID, MemberID: who.MemberID, SavedReplyDraft: d})
	if err != nil {
		return nil, err
	}
	return &savedReplyOutput{Body: bodyOfReply(r)}, nil
}

func (s *service) freezeReplyFile(ctx context.Context, who identity, c *omniflow.Content) error {
	c.Media, c.Contents, c.Module, c.Promotional = nil, nil, "", false
	if c.Kind == omniflow.Text {
		c.MediaID = uuid.Nil
		return nil
	}
	if err := s.freezeMedia(ctx, who, c); err != nil {
		return err
	}
	if c.Kind != omniflow.File && c.Media.Kind != c.Kind {
		return omniflow.Refuse(omniflow.MediaTypeUnsupported, "RPL-05", "the file is no %s but %s", c.Kind, c.Media.MIME)
	}
	if no := omniflow.CheckReplyMedia(c.Kind, *c.Media); no != nil {
		return no
	}
	if c.Kind != omniflow.Image || c.Media.Bytes <= omniflow.MaxReplyImageBytes {
		return nil
	}
	return s.compress(ctx, who, c)
}

// compress gives c a smaller image in the same format (RPL-05, D-RPL-2).
func (s *service) compress(ctx context.Context, who identity, c *omniflow.Content) error {
	if s.files == nil {
		return errNoFiles
	}
	data, err := s.files.Read(ctx, c.MediaID)
	if err != nil {
		return err
	}
	if data, err = media.Fit(data, c.Media.MIME, omniflow.MaxReplyImageBytes); err != nil {
		return err
	}
	m, err := s.files.Put(ctx, uuid.Must(uuid.NewV7()), c.Media.Name, bytes.NewReader(data))
	if err != nil {
		return err
	}
	c.MediaID, c.Media = m.ID, &m
	return s.store.SaveMedia(ctx, who.TeamID, who.MemberID, m)
}

// replyMember is the member as the rules of saved replies see one.
func (s *service) replyMember(ctx context.Context, who identity) (omniflow.ReplyMember, error) {
	m, err := s.store.LoadMember(ctx, who.TeamID, who.MemberID)
	return omniflow.ReplyMember{ID: who.MemberID, Role: who.Actor.Role, Store: m.Store}, err
}

// usableReply is a saved reply that the member may send.
func (s *service) usableReply(ctx context.Context, who identity, id uuid.UUID) (postgres.SavedReply, error) {
	r, err := s.store.FindSavedReply(ctx, who.TeamID, id)
	if err != nil {
		return r, err
	}
	member, err := s.replyMember(ctx, who)
	if err != nil {
		return r, err
	}
	if no := r.PermitUse(r.MemberID, member); no != nil {
		return r, no
	}
	return r, nil
}

func (s *service) listSavedReplies(ctx context.Context, in *listSavedRepliesInput) (*savedReplyListOutput, error) {
	who := identityOf(ctx)
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	member, err := s.replyMember(ctx, who)
	if err != nil {
		return nil, err
	}
	replies, err := s.store.ListSavedReplies(ctx, who.TeamID, member, postgres.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &savedReplyListOutput{Body: listBody[savedReplyBody]{Items: make([]savedReplyBody, len(replies))}}
	for i, r := range replies {
		out.Body.Items[i] = bodyOfReply(r)
	}
	out.Body.Next = nextAfter(replies, in.Limit, func(r postgres.SavedReply) string { return r.ID.String() })
	return out, nil
}

func (s *service) getSavedReply(ctx context.Context, in *SavedReplyPath) (*savedReplyOutput, error) {
	who := identityOf(ctx)
	r, err := s.store.FindSavedReply(ctx, who.TeamID, in.ID)
	if err != nil {
		return nil, err
	}
	member, err := s.replyMember(ctx, who)
	if err != nil {
		return nil, err
	}
	if !r.Visible(r.MemberID, member) {
		return nil, omniflow.Refuse(omniflow.SavedReplyNotVisible, "RPL-03", "the saved reply does not apply to this member")
	}
	return &savedReplyOutput{Body: bodyOfReply(r)}, nil
}

func (s *service) deleteSavedReply(ctx context.Context, in *SavedReplyPath) (*struct{}, error) {
	who := identityOf(ctx)
	if no := omniflow.PermitDeleteReply(who.Actor.Role); no != nil {
		return nil, no
	}
	if _, err := s.getSavedReply(ctx, in); err != nil {
		return nil, err
	}
	return nil, s.store.DeleteSavedReply(ctx, who.TeamID, in.ID)
}

func bodyOfReply(r postgres.SavedReply) savedReplyBody {
	return savedReplyBody{ID: r.ID, MemberID: r.MemberID, CreatedAt: r.CreatedAt, savedReplyDraft: savedReplyDraft(r.SavedReplyDraft)}
}
