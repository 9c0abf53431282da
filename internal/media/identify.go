package media

import (
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"

	"omniflow/internal/omniflow"
)

const (
	sniffBytes = 8 << 10 // enough to tell an Office file from any other ZIP
	maxName    = 200     // characters
)

// identify says what a file is by its first bytes. A name that says otherwise
// is refused with media_type_unsupported: a provider or a customer's telephone
// would believe one of the two.
func identify(start []byte, name string) (omniflow.MessageKind, string, *omniflow.Refusal) {
	kind, typ := omniflow.File, mediaType(mimetype.Detect(start).String())
	switch {
	case pictureTypes[typ]:
		kind = omniflow.Image
	case strings.HasPrefix(typ, "video/"):
		kind = omniflow.Video
	case strings.HasPrefix(typ, "audio/"):
		kind = omniflow.Audio
	}
	claimed, ok := extensions[strings.ToLower(path.Ext(name))]
	if ok && claimed != kind {
		return "", "", omniflow.Refuse(omniflow.MediaTypeUnsupported, "FIL-04", "the name says %s, the bytes are %s", claimed, typ)
	}
	return kind, typ, nil
}

func mediaType(s string) string {
	typ, _, err := mime.ParseMediaType(s)
	if err != nil {
		return "application/octet-stream"
	}
	return typ
}

// pictureTypes are what a channel could show as an image; others, such as
// Photoshop's, are files.
var pictureTypes = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true, "image/bmp": true,
	"image/tiff": true, "image/heic": true, "image/heif": true, "image/avif": true,
}

// extensions are those that promise a kind.
var extensions = map[string]omniflow.MessageKind{
	".jpg": omniflow.Image, ".jpeg": omniflow.Image, ".png": omniflow.Image, ".gif": omniflow.Image, ".webp": omniflow.Image,
	".mp4": omniflow.Video, ".mov": omniflow.Video, ".webm": omniflow.Video, ".avi": omniflow.Video,
	".mp3": omniflow.Audio, ".m4a": omniflow.Audio, ".wav": omniflow.Audio,
	".pdf": omniflow.File, ".csv": omniflow.File, ".txt": omniflow.File, ".doc": omniflow.File, ".docx": omniflow.File,
	".xls": omniflow.File, ".xlsx": omniflow.File, ".ppt": omniflow.File, ".pptx": omniflow.File,
	".psd": omniflow.File, ".ai": omniflow.File, ".zip": omniflow.File, ".exe": omniflow.File,
}

// cleanName is the last part of a name, without what a header or a file system
// could trip over.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`"<>|:*?/`, r) {
			return -1
		}
		return r
	}, name)
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." {
		return "file"
	}
	for utf8.RuneCountInString(name) > maxName {
		ext := path.Ext(name)
		if utf8.RuneCountInString(ext) > 10 {
			ext = ""
		}
		runes := []rune(strings.TrimSuffix(name, ext))
		name = string(runes[:maxName-utf8.RuneCountInString(ext)]) + ext
	}
	return name
}
