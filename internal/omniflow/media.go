package omniflow

import (
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// MB is a megabyte as the specification counts (D-FIL-2).
const MB int64 = 1 << 20

// MaxMediaBytes is the largest file that can be uploaded: what the widest
// channel takes (D-FIL-3).
const MaxMediaBytes = 100 * MB

// Media is an uploaded file as a message carries it.
type Media struct {
	ID     uuid.UUID   `json:"id"`
	Kind   MessageKind `json:"kind"` // image, video, audio or file: what its bytes are
	MIME   string      `json:"mime"`
	Name   string      `json:"name"`
	Bytes  int64       `json:"bytes"`
	SHA256 string      `json:"sha256"` // hexadecimal

	// Where a provider finds it; filled for a call, never stored with the content.
	Handle  string `json:"-"` // WhatsApp's media id, Messenger's attachment id
	Link    string `json:"-"` // public address
	Preview string `json:"-"` // public address of a small JPEG
}

// mediaRule is one cell of FIL-01: what a channel takes of one kind. No rule
// is an ✕.
type mediaRule struct {
	max   int64    // bytes, itself allowed
	types []string // MIME types; nil: every type of the kind
	// broadcastOnly is an ✕ of FIL-01 that BRD-07 makes ✔ for broadcasts; its
	// limits are the provider's (instagram.md section 3).
	broadcastOnly bool
	programs      bool // false: what a computer would execute is refused (FIL-03, D-FIL-4)
}

var (
	pictures   = []string{"image/jpeg", "image/png"} // FIL-04
	lineVideos = []string{"video/mp4", "video/quicktime"}
	waVideos   = []string{"video/mp4", "video/3gpp"}
	igVideos   = []string{"video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"}
)

// mediaRules is FIL-01, with D-FIL-3 where FIL-01 leaves a cell blank.
var mediaRules = map[Channel]map[MessageKind]mediaRule{
	Webchat: {Image: {max: 10 * MB, types: pictures}},
	Facebook: {
		Image: {max: 8 * MB, types: pictures},
		Video: {max: 8 * MB}, Audio: {max: 8 * MB}, File: {max: 8 * MB, programs: true},
	},
	Instagram: {
		Image: {max: 8 * MB, types: pictures},
		Video: {max: 25 * MB, types: igVideos, broadcastOnly: true},
		File:  {max: 25 * MB, types: []string{"application/pdf"}, broadcastOnly: true},
	},
	LINE: {
		Image: {max: 50 * MB, types: pictures},
		Video: {max: 50 * MB, types: lineVideos}, Audio: {max: 50 * MB}, File: {max: 64 * MB},
	},
	WhatsApp: {
		Image: {max: 5 * MB, types: pictures},
		Video: {max: 16 * MB, types: waVideos}, Audio: {max: 16 * MB}, File: {max: 100 * MB, programs: true},
	},
	WeChat: {Image: {max: 10 * MB, types: pictures}},
}

// CheckMedia says whether the console may send m as kind on ch (FIL-01 to
// FIL-04): media_kind_unsupported, media_type_unsupported, media_too_large.
func CheckMedia(ch Channel, kind MessageKind, m Media) *Refusal {
	rule, ok := mediaRules[ch][kind]
	if !ok || rule.broadcastOnly {
		return refuseKind(ch, kind, false)
	}
	return rule.check(ch, kind, m)
}

// CheckBroadcastMedia is CheckMedia for a broadcast, whose kinds BRD-06 and
// BRD-07 decide beforehand.
func CheckBroadcastMedia(ch Channel, kind MessageKind, m Media) *Refusal {
	rule, ok := mediaRules[ch][kind]
	if !ok {
		return refuseKind(ch, kind, true)
	}
	return rule.check(ch, kind, m)
}

func (r mediaRule) check(ch Channel, kind MessageKind, m Media) *Refusal {
	switch {
	case kind != File && m.Kind != kind:
		return refuseMedia(MediaTypeUnsupported, ch, "FIL-04", "on %s: the file is no %s but %s", ch, kind, m.MIME)
	case r.types != nil && !slices.Contains(r.types, m.MIME):
		return refuseMedia(MediaTypeUnsupported, ch, "FIL-04", "%s takes no %s as %s: it takes %s", ch, m.MIME, kind, strings.Join(r.types, ", "))
	case kind == File && !r.programs && m.program():
		return refuseMedia(MediaTypeUnsupported, ch, "FIL-03", "%s takes no programs", ch)
	case m.Bytes > r.max:
		return refuseMedia(MediaTooLarge, ch, "FIL-01", "%s takes %d MB of %s, the file has %d bytes", ch, r.max/MB, kind, m.Bytes)
	}
	return nil
}

// programs are the extensions of D-FIL-4.
var programs = []string{".exe", ".msi", ".bat", ".cmd", ".com", ".scr"}

func (m Media) program() bool {
	return slices.Contains(programs, strings.ToLower(path.Ext(strings.TrimRight(m.Name, ". ")))) ||
		m.MIME == "application/vnd.microsoft.portable-executable"
}

// refuseKind is the refusal of an ✕ of FIL-01. It names what ch takes.
func refuseKind(ch Channel, kind MessageKind, broadcast bool) *Refusal {
	takes := []string{}
	for _, k := range []MessageKind{Image, Video, Audio, File} {
		if rule, ok := mediaRules[ch][k]; ok && (broadcast || !rule.broadcastOnly) {
			words := string(k)
			if rule.types != nil {
				words += " (" + strings.Join(rule.types, ", ") + ")"
			}
			takes = append(takes, words)
		}
	}
	return refuseMedia(MediaKindUnsupported, ch, "FIL-01", "%s takes no %s: it takes %s", ch, kind, strings.Join(takes, ", "))
}

func refuseMedia(code Code, ch Channel, rule, format string, args ...any) *Refusal {
	r := Refuse(code, rule, format, args...)
	r.Channels = []Channel{ch}
	return r
}
