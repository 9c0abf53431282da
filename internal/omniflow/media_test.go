package omniflow

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// sample is a file of kind with a type that every channel takes.
func sample(kind MessageKind, bytes int64) Media {
	mime := map[MessageKind]string{Image: "image/jpeg", Video: "video/mp4", Audio: "audio/mpeg", File: "application/pdf"}[kind]
	return Media{ID: uuid.New(), Kind: kind, MIME: mime, Name: "a", Bytes: bytes}
}

// TestFIL01 is the table of FIL-01 with D-FIL-3: every cell, at its limit
// (D-FIL-2: allowed) and one byte over it.
func TestFIL01(t *testing.T) {
	t.Parallel()
	const none = 0
	for ch, row := range map[Channel][4]int64{ // image, video, audio, file: MB
		Webchat:   {10, none, none, none},
		Facebook:  {8, 8, 8, 8},
		Instagram: {8, none, none, none},
		LINE:      {50, 50, 50, 64},
		WhatsApp:  {5, 16, 16, 100},
		WeChat:    {10, none, none, none},
	} {
		for i, kind := range []MessageKind{Image, Video, Audio, File} {
			t.Run(string(ch)+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				limit := row[i] * MB
				if limit == none {
					require.Equal(t, MediaKindUnsupported, code(CheckMedia(ch, kind, sample(kind, 1))))
					return
				}
				require.Nil(t, CheckMedia(ch, kind, sample(kind, limit)))
				r := CheckMedia(ch, kind, sample(kind, limit+1))
				require.Equal(t, MediaTooLarge, code(r))
				require.Equal(t, []Channel{ch}, r.Channels)
			})
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ch   Channel
		kind MessageKind
		m    Media
		want Code
	}{
		{"EX-074 setup.exe on LINE", LINE, File, Media{Kind: File, MIME: "application/octet-stream", Name: "setup.exe", Bytes: 1}, MediaTypeUnsupported},
		{"EX-074 60 MB pdf on LINE", LINE, File, Media{Kind: File, MIME: "application/pdf", Name: "a.pdf", Bytes: 60 * MB}, ""},
		{"EX-074 60 MB mp4 on LINE", LINE, Video, Media{Kind: Video, MIME: "video/mp4", Name: "a.mp4", Bytes: 60 * MB}, MediaTooLarge},
		{"EX-075 WhatsApp image 5 MB", WhatsApp, Image, sample(Image, 5*MB), ""},
		{"EX-075 WhatsApp image 6 MB", WhatsApp, Image, sample(Image, 6*MB), MediaTooLarge},
		{"EX-075 Instagram video", Instagram, Video, sample(Video, 1), MediaKindUnsupported},
		{"EX-075 Webchat video", Webchat, Video, sample(Video, 1), MediaKindUnsupported},
		{"FIL-02 a Facebook image over 1 MB is fine", Facebook, Image, sample(Image, 2*MB), ""},
		{"FIL-03 MOV on LINE", LINE, Video, Media{Kind: Video, MIME: "video/quicktime", Bytes: 1}, ""},
		{"FIL-03 webm on LINE", LINE, Video, Media{Kind: Video, MIME: "video/webm", Bytes: 1}, MediaTypeUnsupported},
		{"FIL-03 psd on LINE", LINE, File, Media{Kind: File, MIME: "image/vnd.adobe.photoshop", Name: "a.psd", Bytes: 1}, ""},
		{"FIL-04 PNG on Facebook", Facebook, Image, Media{Kind: Image, MIME: "image/png", Bytes: 1}, ""},
		{"FIL-04 GIF on Facebook", Facebook, Image, Media{Kind: Image, MIME: "image/gif", Bytes: 1}, MediaTypeUnsupported},
		{"FIL-04 GIF on LINE", LINE, Image, Media{Kind: Image, MIME: "image/gif", Bytes: 1}, MediaTypeUnsupported},
		{"FIL-04 GIF on WhatsApp", WhatsApp, Image, Media{Kind: Image, MIME: "image/gif", Bytes: 1}, MediaTypeUnsupported},
		{"FIL-04 GIF on Webchat", Webchat, Image, Media{Kind: Image, MIME: "image/gif", Bytes: 1}, MediaTypeUnsupported},
		{"D-FIL-3 GIF on Instagram", Instagram, Image, Media{Kind: Image, MIME: "image/gif", Bytes: 1}, MediaTypeUnsupported},
		{"D-FIL-4 a program by its bytes", LINE, File, Media{Kind: File, MIME: "application/vnd.microsoft.portable-executable", Name: "a.txt", Bytes: 1}, MediaTypeUnsupported},
		{"D-FIL-4 a program by its name, capitals and dots", LINE, File, Media{Kind: File, Name: "A.SCR. ", Bytes: 1}, MediaTypeUnsupported},
		{"D-FIL-4 WhatsApp takes any type", WhatsApp, File, Media{Kind: File, Name: "setup.exe", Bytes: 1}, ""},
		{"a video named as an image", WhatsApp, Image, sample(Video, 1), MediaTypeUnsupported},
		{"an image as a file", WhatsApp, File, sample(Image, 1), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, code(CheckMedia(test.ch, test.kind, test.m)))
		})
	}
}

func TestBroadcastMediaFollowsBRD07(t *testing.T) {
	t.Parallel()
	require.Nil(t, CheckBroadcastMedia(Instagram, Video, sample(Video, 25*MB)), "EX-114, from the app")
	require.Equal(t, MediaTooLarge, code(CheckBroadcastMedia(Instagram, Video, sample(Video, 25*MB+1))))
	require.Nil(t, CheckBroadcastMedia(Instagram, File, sample(File, 1)), "X-02, from the app")
	require.Equal(t, MediaTypeUnsupported, code(CheckBroadcastMedia(Instagram, File, Media{Kind: File, MIME: "text/csv", Bytes: 1})))
	require.Equal(t, MediaKindUnsupported, code(CheckBroadcastMedia(Instagram, Audio, sample(Audio, 1))))
}
