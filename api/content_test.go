package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/media"
	"omniflow/internal/omniflow"
)

// upload posts a file and gives the answer.
func (c *company) upload(token, name string, data []byte, headers ...string) reply {
	c.w.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	require.NoError(c.w.t, err)
	_, err = part.Write(data)
	require.NoError(c.w.t, err)
	require.NoError(c.w.t, w.Close())
	return c.w.do("POST", "/v1/media", token, form.Bytes(), append(headers, "Content-Type", w.FormDataContentType())...)
}

// media uploads a file and gives its id.
func (c *company) media(name string, data []byte) string {
	c.w.t.Helper()
	var m mediaBody
	c.upload(c.token["sales_staff"], name, data).into(201, &m)
	return m.ID.String()
}

func picture(side int) []byte {
	img := image.NewGray(image.Rect(0, 0, side, side))
	img.SetGray(0, 0, color.Gray{Y: 9})
	var out bytes.Buffer
	if png.Encode(&out, img) != nil {
		panic("a picture into memory")
	}
	return out.Bytes()
}

// padded is a file that begins as one of a kind and has so many bytes.
func padded(start string, bytes int64) []byte {
	data := make([]byte, bytes)
	copy(data, start)
	return data
}

const (
	mp4Start = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
	pdfStart = "%PDF-1.7\n"
	exeStart = "MZ\x90\x00"
)

// bigPicture is a PNG of more than 5 MB and its end, which decoders skip.
func bigPicture(bytes int64) []byte { return padded(string(picture(8)), bytes) }

func TestUploadAndServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "sales_staff")
	staff := c.token["sales_staff"]
	var m mediaBody
	first := c.upload(staff, "新品.png", picture(64), "Idempotency-Key", "k1")
	first.into(201, &m)
	require.Equal(t, omniflow.Image, m.Kind)
	require.Equal(t, "image/png", m.MIME)
	require.Equal(t, "新品.png", m.Name)
	require.EqualValues(t, len(picture(64)), m.Bytes)
	require.Len(t, m.SHA256, 64)

	for variant, wantType := range map[string]string{"": "image/png", "preview": "image/jpeg"} {
		path := strings.TrimPrefix(w.s.links.URL(m.ID, media.Variant(variant)), "https://api.example.com")
		served := w.do("GET", path, "", nil)
		require.Equal(t, 200, served.Status, "%s", served.Body)
		require.Equal(t, wantType, served.Header.Get("Content-Type"))
		require.Equal(t, "nosniff", served.Header.Get("X-Content-Type-Options"))
		part := w.do("GET", path, "", nil, "Range", "bytes=0-9")
		require.Equal(t, http.StatusPartialContent, part.Status)
		require.Equal(t, served.Body[:10], part.Body)
		require.Empty(t, served.Header.Get("Expires"), "BRD-16: no expiry")
		w.do("GET", path[:len(path)-2], "", nil).problem(404, "not_found")
		w.do("GET", strings.Replace(path, m.ID.String(), uuid.NewString(), 1), "", nil).problem(404, "not_found")
	}
	served := w.do("GET", strings.TrimPrefix(w.s.links.URL(m.ID, ""), "https://api.example.com"), "", nil)
	require.Equal(t, picture(64), served.Body)
	w.do("GET", strings.TrimPrefix(w.s.links.URL(m.ID, "line"), "https://api.example.com"), "", nil).problem(404, "not_found")

	pdf := c.media("型錄.pdf", []byte(pdfStart))
	file := w.do("GET", strings.TrimPrefix(w.s.links.URL(uuid.MustParse(pdf), ""), "https://api.example.com"), "", nil)
	require.True(t, strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment"))
	require.NotContains(t, w.log.String(), "型錄")
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.company("omo", "sales_staff")
	staff := c.token["sales_staff"]
	before := w.counts()
	c.upload("", "a.png", picture(4)).problem(401, "unauthenticated")
	c.upload(w.platform, "a.png", picture(4)).problem(403, "permission_denied")
	c.upload(staff, "a.png", []byte(exeStart+"program")).problem(422, "media_type_unsupported")
	c.upload(staff, "a.png", nil).problem(422, "message_empty")
	c.upload(staff, "a.png", picture(64)[:80]).problem(422, "media_type_unsupported")
	w.do("POST", "/v1/media", staff, "no form", "Content-Type", "multipart/form-data; boundary=x").problem(422, "input_invalid")
	w.do("POST", "/v1/media", staff, "{}").problem(422, "input_invalid")
	c.upload(staff, "a.pdf", padded(pdfStart, omniflow.MaxMediaBytes+1)).problem(413, "body_too_large")
	require.Equal(t, before, w.counts())
}

// holding is a broadcast of messages to the channels given, or to all.
func holding(client string, messages []m, channels ...string) m {
	audience := m{"all": true}
	if len(channels) > 0 {
		audience["channels"] = channels
	}
	return m{"kind": "broadcast_message", "client": client, "audience": audience, "messages": messages}
}

// TestContentsAtTheDoor is BRD-06, BRD-07 and the FIL limits as a broadcast
// meets them.
func TestContentsAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	is := func(kind, id string) []m { return []m{{"kind": kind, "media_id": id}} }
	img, img5, img6 := c.media("a.png", picture(8)), c.media("5.png", bigPicture(5<<20)), c.media("6.png", bigPicture(6<<20))
	gif := c.media("a.gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))
	video, video60 := c.media("a.mp4", []byte(mp4Start)), c.media("b.mp4", padded(mp4Start, 60<<20))
	pdf, exe := c.media("a.pdf", []byte(pdfStart)), c.media("setup.exe", []byte(exeStart+"program"))
	for _, row := range []struct {
		name string
		body m
		code string // "" accepted
		on   []omniflow.Channel
	}{
		{"an emoji in a text, everywhere", holding("web", []m{{"kind": "text", "text": "🎉"}}), "", nil},
		{"an image, everywhere", holding("web", is("image", img)), "", nil},
		{"EX-114 a video to Instagram from the Web", holding("web", is("video", video)), "broadcast_content_unsupported", []omniflow.Channel{"instagram"}},
		{"EX-114 a video to Instagram from the app", holding("app", is("video", video)), "", nil},
		{"EX-115 a file to LINE from the Web", holding("web", is("file", pdf), "line"), "broadcast_content_unsupported", []omniflow.Channel{"line"}},
		{"EX-115 a file to LINE from the app", holding("app", is("file", pdf), "line", "facebook"), "broadcast_content_unsupported", []omniflow.Channel{"line"}},
		{"X-03 a file to Facebook and WhatsApp from the Web", holding("web", is("file", pdf), "facebook", "whatsapp"), "", nil},
		{"a file to Instagram from the Web", holding("web", is("file", pdf), "instagram"), "broadcast_content_unsupported", []omniflow.Channel{"instagram"}},
		{"X-02 a file to Instagram from the app", holding("app", is("file", pdf), "instagram"), "", nil},
		{"EX-074 a program to LINE", holding("app", is("file", exe), "line"), "broadcast_content_unsupported", []omniflow.Channel{"line"}},
		{"EX-074 60 MB mp4 to LINE", holding("web", is("video", video60), "line"), "media_too_large", []omniflow.Channel{"line"}},
		{"EX-075 5 MB image to WhatsApp", holding("web", is("image", img5), "whatsapp"), "", nil},
		{"EX-075 6 MB image to WhatsApp", holding("web", is("image", img6), "whatsapp"), "media_too_large", []omniflow.Channel{"whatsapp"}},
		{"6 MB image to Facebook", holding("web", is("image", img6), "facebook"), "", nil},
		{"a GIF as an image", holding("web", is("image", gif), "facebook"), "media_type_unsupported", []omniflow.Channel{"facebook"}},
		{"a video as an image", holding("web", is("image", video), "facebook"), "media_type_unsupported", []omniflow.Channel{"facebook"}},
		{"a caption to WhatsApp", holding("web", []m{{"kind": "image", "media_id": img, "text": "新品"}}, "whatsapp"), "", nil},
		{"a caption elsewhere", holding("web", []m{{"kind": "image", "media_id": img, "text": "新品"}}), "broadcast_content_unsupported", []omniflow.Channel{"line", "facebook", "instagram"}},
		{"a caption too long", holding("web", []m{{"kind": "file", "media_id": pdf, "text": strings.Repeat("好", 1025)}}, "whatsapp"), "message_too_long", []omniflow.Channel{"whatsapp"}},
		{"every channel for which an image is too large", holding("web", is("image", c.media("9.png", bigPicture(9<<20)))), "media_too_large", []omniflow.Channel{"facebook", "instagram", "whatsapp"}},
		{"audio, which no matrix has", holding("app", []m{{"kind": "audio", "media_id": img}}), "input_invalid", nil},
		{"a file that nobody uploaded", holding("web", is("image", uuid.NewString())), "not_found", nil},
		{"an image without its file", holding("web", []m{{"kind": "image"}}), "message_empty", nil},
		{"EX-116 five messages of several kinds", holding("web", append(append(is("image", img), is("video", video)...),
			m{"kind": "text", "text": "1"}, m{"kind": "text", "text": "2"}, m{"kind": "text", "text": "3"}), "line"), "", nil},
		{"EX-116 six messages of several kinds", holding("web", append(append(is("image", img), is("video", video)...),
			m{"kind": "text", "text": "1"}, m{"kind": "text", "text": "2"}, m{"kind": "text", "text": "3"}, m{"kind": "text", "text": "4"}), "line"), "broadcast_message_count", nil},
		{"a long text with a name that may be short", holding("web", []m{{"kind": "text", "text": strings.Repeat("x", 4999) + omniflow.CustomerName}}, "line"), "", nil},
		{"a text that no name makes short enough", holding("web", []m{{"kind": "text", "text": strings.Repeat("x", 5000) + omniflow.CustomerName}}, "line"), "message_too_long", []omniflow.Channel{"line"}},
		{"a text that is a name and nothing else", holding("web", []m{{"kind": "text", "text": omniflow.CustomerName}}, "line"), "", nil},
		{"a media that the client made up", holding("web", []m{{"kind": "image", "media_id": uuid.NewString(), "media": m{"id": img, "kind": "image", "mime": "image/png", "name": "a", "bytes": 1, "sha256": ""}}}), "not_found", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			answer := w.in(t).do("POST", "/v1/broadcasts", staff, row.body)
			if row.code == "" {
				require.Equal(t, 202, answer.Status, "%s", answer.Body)
				return
			}
			p := answer.problem(map[bool]int{true: 404, false: 422}[row.code == "not_found"], row.code)
			for _, ch := range row.on {
				require.Contains(t, p.Detail, ch)
			}
		})
	}
}

func TestWhatIsAcceptedIsFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff := c.token["sales_staff"]
	img := c.media("a.png", picture(8))
	var saved savedReplyBody
	w.do("POST", "/v1/saved-replies", staff, m{"topic": "t", "kind": "custom", "audience": "only_myself",
		"contents": []m{{"kind": "text", "text": "before"}, {"kind": "image", "media_id": img}}}).into(201, &saved)
	var accepted struct{ ID uuid.UUID }
	w.do("POST", "/v1/broadcasts", staff, holding("web", []m{{"kind": "saved_reply", "saved_reply_id": saved.ID}})).into(202, &accepted)
	require.Equal(t, 204, w.do("DELETE", "/v1/saved-replies/"+saved.ID.String(), staff, nil).Status)
	var request []byte
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT request FROM broadcasts WHERE id = $1`, accepted.ID).Scan(&request))
	var r omniflow.BroadcastRequest
	require.NoError(t, json.Unmarshal(request, &r))
	frozen := omniflow.Expand(r.Messages)
	require.Len(t, frozen, 2)
	require.Equal(t, "before", frozen[0].Text)
	require.Equal(t, img, frozen[1].Media.ID.String())
	require.Equal(t, "image/png", frozen[1].Media.MIME)
}

func TestSavedReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	_, marketing := c.member("marketing")
	_, colleague := c.member("sales_staff")
	staff, agent := c.token["sales_staff"], c.token["cs_agent"]
	custom := func(audience string, contents ...m) m {
		return m{"topic": "歡迎", "kind": "custom", "audience": audience, "contents": contents}
	}
	bot := m{"topic": "bot", "kind": "bot_module", "audience": "all_members", "module": m{"type": "card", "channels": []string{"line"}}}
	save := func(token string, body m) savedReplyBody {
		var out savedReplyBody
		w.do("POST", "/v1/saved-replies", token, body).into(201, &out)
		return out
	}
	use := func(id uuid.UUID, channels ...string) reply {
		return w.do("POST", "/v1/broadcasts", staff, holding("app", []m{{"kind": "saved_reply", "saved_reply_id": id}}, channels...))
	}
	text := m{"kind": "text", "text": "您好 {{system:customer_name}}"}

	withBot := save(marketing, bot)
	w.do("GET", "/v1/saved-replies/"+withBot.ID.String(), agent, nil).into(200, &savedReplyBody{}) // EX-130: applies to the agent
	w.do("POST", "/v1/saved-replies", agent, bot).problem(422, "saved_reply_type_forbidden")       // EX-130
	w.do("DELETE", "/v1/saved-replies/"+withBot.ID.String(), marketing, nil).problem(422, "saved_reply_delete_forbidden")
	w.do("POST", "/v1/saved-replies", staff, custom("all_members", text)).problem(422, "saved_reply_audience_forbidden")
	p := use(withBot.ID, "facebook").problem(422, "broadcast_content_unsupported")
	require.Equal(t, "目標渠道不支援發送此類型的機器人模組", p.Message, "RPL-09, MC-09")
	use(withBot.ID, "line").problem(422, "content_unsupported") // nobody said what it sends
	w.exec(`UPDATE saved_replies SET module = module || '{"deleted":true}' WHERE id = $1`, withBot.ID)
	p = use(withBot.ID, "line").problem(422, "saved_reply_bot_deleted")
	require.Equal(t, "此預存回覆的機器人模組已被刪除", p.Message, "D-RPL-3, MC-10")

	pdf := c.media("a.pdf", []byte(pdfStart))
	withFile := save(staff, custom("only_myself", text, m{"kind": "file", "media_id": pdf}))
	p = use(withFile.ID).problem(422, "broadcast_content_unsupported")
	require.Equal(t, "目標渠道不支援發送含有檔案類型的預存回覆", p.Message, "EX-123")
	require.Contains(t, p.Detail, "line")
	require.Equal(t, 202, use(withFile.ID, "facebook", "whatsapp").Status)

	w.do("GET", "/v1/saved-replies/"+withFile.ID.String(), colleague, nil).problem(422, "saved_reply_not_visible")
	var list listBody[savedReplyBody]
	w.do("GET", "/v1/saved-replies", colleague, nil).into(200, &list)
	require.Len(t, list.Items, 1, "RPL-03: only myself is nobody else's")
	w.do("GET", "/v1/saved-replies", staff, nil).into(200, &list)
	require.Len(t, list.Items, 2)
	foreign := w.company("omo", "sales_staff")
	w.do("GET", "/v1/saved-replies/"+withFile.ID.String(), foreign.token["sales_staff"], nil).problem(404, "not_found")

	w.do("POST", "/v1/saved-replies", staff, custom("only_myself", m{"kind": "file", "media_id": c.media("b.pdf", padded(pdfStart, 8<<20+1))})).problem(422, "media_too_large")
	w.do("POST", "/v1/saved-replies", staff, custom("only_myself", m{"kind": "video", "media_id": pdf})).problem(422, "media_type_unsupported")
	w.do("POST", "/v1/saved-replies", staff, custom("only_myself")).problem(422, "message_empty")
}

// EX-128 (RPL-05): an image over 5 MB is made to fit, in its own format.
func TestImagesOfSavedRepliesAreCompressed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	var photo bytes.Buffer
	require.NoError(t, jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil))
	for name, row := range map[string]struct {
		data []byte
		mime string
	}{"a.jpg": {padded(photo.String(), 6<<20), "image/jpeg"}, "a.png": {bigPicture(12 << 20), "image/png"}} {
		large := c.media(name, row.data)
		var saved savedReplyBody
		w.do("POST", "/v1/saved-replies", c.token["sales_staff"], m{"topic": "t", "kind": "custom", "audience": "only_myself",
			"contents": []m{{"kind": "image", "media_id": large}}}).into(201, &saved)
		require.NotEqual(t, large, saved.Contents[0].MediaID.String())
		require.LessOrEqual(t, saved.Contents[0].Media.Bytes, omniflow.MaxReplyImageBytes)
		require.Equal(t, row.mime, saved.Contents[0].Media.MIME)
		require.Equal(t, 202, w.do("POST", "/v1/broadcasts", c.token["sales_staff"],
			holding("web", []m{{"kind": "saved_reply", "saved_reply_id": saved.ID}}, "whatsapp")).Status)
	}
}

// BRD-11, BRD-12, D-BRD-4.
func TestBoundCustomersAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.shop()
	staff, manager := c.token["sales_staff"], c.token["sales_manager"]
	bind := func(member, customer string) reply {
		return w.do("POST", c.path+"/bindings", c.admin, m{"member_id": c.ids[member], "customer_id": customer})
	}
	broadcast := func(token string, audience m) reply {
		return w.do("POST", "/v1/broadcasts", token, m{"kind": "broadcast_message", "audience": audience, "messages": []m{{"kind": "text", "text": "hi"}}})
	}
	broadcast(staff, m{"bound": true, "channel": "line"}).problem(422, "broadcast_empty")
	for _, customer := range []string{"C1", "C2", "C3"} { // WhatsApp, LINE, Facebook
		bind("sales_staff", customer).into(201, &bindingBody{})
	}
	bind("sales_staff", "C2").into(201, &bindingBody{}) // again changes nothing
	bind("sales_staff", "nobody").problem(404, "not_found")
	var list listBody[bindingBody]
	w.do("GET", c.path+"/bindings?member_id="+c.ids["sales_staff"], c.admin, nil).into(200, &list)
	require.Len(t, list.Items, 3)

	w.exec(`UPDATE conversations SET state = 'closed', follower_id = NULL`) // D-BRD-4: whatever the state
	p := broadcast(staff, m{"bound": true, "channels": []string{"whatsapp", "line"}}).problem(422, "broadcast_cross_channel")
	require.Contains(t, p.Detail, "whatsapp", "EX-118")
	broadcast(staff, m{"bound": true}).problem(422, "broadcast_cross_channel") // EX-118: customers on both
	broadcast(staff, m{"bound": true, "channel": "facebook"}).problem(422, "broadcast_channel_unsupported")
	require.Equal(t, 202, broadcast(staff, m{"bound": true, "channel": "line"}).Status)
	require.Equal(t, 202, broadcast(staff, m{"bound": true, "channel": "whatsapp"}).Status)

	// EX-119: the customers of the team are not the manager's.
	line := w.ids(`SELECT id FROM conversations WHERE channel = 'line'`)
	broadcast(manager, m{"bound": true, "channel": "line"}).problem(422, "broadcast_empty")
	broadcast(manager, m{"bound": true, "conversation_ids": line}).problem(422, "recipient_not_allowed")
	broadcast(manager, m{"conversation_ids": line}).problem(422, "recipient_not_allowed")
	require.Equal(t, 202, broadcast(staff, m{"bound": true, "conversation_ids": line}).Status)

	unbind := func() reply {
		return w.do("DELETE", c.path+"/bindings?member_id="+c.ids["sales_staff"]+"&customer_id=C2", c.admin, nil)
	}
	require.Equal(t, 204, unbind().Status)
	unbind().problem(404, "not_found")
	broadcast(staff, m{"bound": true, "channel": "line"}).problem(422, "broadcast_empty")
}

func TestMembersLookAtFilesOfTheirTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, other := w.company("omo", "sales_staff"), w.company("omo", "sales_staff")
	id := c.media("新品.png", picture(64))
	path := "/v1/media/" + id
	got := w.do("GET", path, c.token["sales_staff"], nil)
	require.Equal(t, 200, got.Status)
	require.Equal(t, picture(64), got.Body)
	require.Equal(t, "image/png", got.Header.Get("Content-Type"))
	require.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
	require.Contains(t, got.Header.Get("Content-Security-Policy"), "sandbox")
	part := w.do("GET", path, c.token["sales_staff"], nil, "Range", "bytes=1-3")
	require.Equal(t, http.StatusPartialContent, part.Status)
	require.Equal(t, "PNG", string(part.Body))
	w.do("GET", path, other.token["sales_staff"], nil).problem(404, "not_found")
	w.do("GET", path, "", nil).problem(401, "unauthenticated")
	w.do("GET", "/v1/media/"+uuid.NewString(), c.token["sales_staff"], nil).problem(404, "not_found")
}
