package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"omniflow/internal/keyring"
	"omniflow/internal/omniflow"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore(t.Context(), "file://"+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// noise is a picture that compresses badly.
func noise(side int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, side, side/2))
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(picture.Pix); i += 4 {
		v := random.Uint32()
		picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2], picture.Pix[i+3] = byte(v), byte(v>>8), byte(v>>16), 255
	}
	return picture
}

func pngOf(t *testing.T, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, picture))
	return out.Bytes()
}

func jpegOf(t *testing.T, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, picture, &jpeg.Options{Quality: 100}))
	return out.Bytes()
}

func small() image.Image {
	picture := image.NewGray(image.Rect(0, 0, 4, 2))
	picture.SetGray(1, 1, color.Gray{Y: 200})
	return picture
}

var (
	mp4 = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + strings.Repeat("x", 64)
	mov = "\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + strings.Repeat("x", 64)
	pdf = "%PDF-1.7\n" + strings.Repeat("x", 64)
	exe = "MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00" + strings.Repeat("\x00", 64)
)

func TestPutSaysWhatAFileIs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, test := range []struct {
		name, file, body string
		kind             omniflow.MessageKind
		mime             string
		refused          omniflow.Code
	}{
		{"a JPEG", "a.jpg", string(jpegOf(t, small())), omniflow.Image, "image/jpeg", ""},
		{"a PNG named as a JPEG is a PNG", "a.jpg", string(pngOf(t, small())), omniflow.Image, "image/png", ""},
		{"an mp4", "a.mp4", mp4, omniflow.Video, "video/mp4", ""},
		{"a MOV", "a.MOV", mov, omniflow.Video, "video/quicktime", ""},
		{"a PDF", "型錄.pdf", pdf, omniflow.File, "application/pdf", ""},
		{"a program", "setup.exe", exe, omniflow.File, "application/vnd.microsoft.portable-executable", ""},
		{"a program named as an image", "a.png", exe, "", "", omniflow.MediaTypeUnsupported},
		{"a PDF named as a video", "a.mp4", pdf, "", "", omniflow.MediaTypeUnsupported},
		{"an image named as a PDF", "a.pdf", string(pngOf(t, small())), "", "", omniflow.MediaTypeUnsupported},
		{"half an image", "a.png", string(pngOf(t, small())[:60]), "", "", omniflow.MediaTypeUnsupported},
		{"nothing", "a.png", "", "", "", omniflow.MessageEmpty},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			id := uuid.New()
			m, err := s.Put(t.Context(), id, test.file, strings.NewReader(test.body))
			if test.refused != "" {
				var refusal *omniflow.Refusal
				require.ErrorAs(t, err, &refusal)
				require.Equal(t, test.refused, refusal.Code)
				return
			}
			require.NoError(t, err)
			hash := sha256.Sum256([]byte(test.body))
			require.Equal(t, omniflow.Media{ID: id, Kind: test.kind, MIME: test.mime, Name: test.file,
				Bytes: int64(len(test.body)), SHA256: hex.EncodeToString(hash[:])}, m)
			data, err := s.Read(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, test.body, string(data))
			_, err = s.Get(t.Context(), id, Preview)
			require.Equal(t, test.kind == omniflow.File, errors.Is(err, ErrNotFound))
		})
	}
}

func TestPutKeepsNothingOfAHalf(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id, cut := uuid.New(), errors.New("cut")
	_, err := s.Put(t.Context(), id, "a.pdf", io.MultiReader(strings.NewReader(strings.Repeat(pdf, 1000)), iotest.ErrReader(cut)))
	require.ErrorIs(t, err, cut)
	_, err = s.Read(t.Context(), id)
	require.ErrorIs(t, err, ErrNotFound)

	_, err = s.Put(t.Context(), id, "a.pdf", io.MultiReader(strings.NewReader(pdf), io.LimitReader(zeros{}, omniflow.MaxMediaBytes)))
	var refusal *omniflow.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, omniflow.BodyTooLarge, refusal.Code)
	_, err = s.Read(t.Context(), id)
	require.ErrorIs(t, err, ErrNotFound)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// RPL-05 and D-RPL-2: images over 5 MB are made to fit, format and proportions kept.
func TestFit(t *testing.T) {
	t.Parallel()
	big := noise(1200)
	for mime, data := range map[string][]byte{"image/jpeg": jpegOf(t, big), "image/png": pngOf(t, big)} {
		limit := int64(len(data)) / 3
		fitted, err := Fit(data, mime, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, int64(len(fitted)), limit)
		config, format, err := image.DecodeConfig(bytes.NewReader(fitted))
		require.NoError(t, err)
		require.Equal(t, mime, "image/"+format)
		require.InDelta(t, 2.0, float64(config.Width)/float64(config.Height), 0.02)
		same, err := Fit(data, mime, int64(len(data)))
		require.NoError(t, err)
		require.Equal(t, data, same, "what fits stays")
	}
	_, err := Fit([]byte("no picture at all"), "image/png", 4)
	require.Error(t, err)
}

func TestVariantsForLINE(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	large := pngOf(t, noise(2800)) // about 11.7 MB
	require.Greater(t, int64(len(large)), MaxLINEImage)
	m, err := s.Put(t.Context(), uuid.New(), "a.png", bytes.NewReader(large))
	require.NoError(t, err)
	for v, limit := range map[Variant]int64{Preview: maxPreview, ForLINE: MaxLINEImage, Original: int64(len(large))} {
		r, err := s.Get(t.Context(), m.ID, v)
		require.NoError(t, err, v)
		require.LessOrEqual(t, r.Size(), limit)
		_, _, err = image.DecodeConfig(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "file", "..": "file", "/etc/passwd": "passwd", `C:\a\b.pdf`: "b.pdf", "a\r\nb.pdf": "ab.pdf", `a"b.pdf`: "ab.pdf",
		strings.Repeat("好", 300) + ".pdf": strings.Repeat("好", 196) + ".pdf",
	} {
		require.Equal(t, want, cleanName(name), "%q", name)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Parse(keyring.NewKey("k1"))
	require.NoError(t, err)
	links, id := NewLinks("https://api.example.com/", ring), uuid.New()
	address := links.URL(id, Preview)
	require.True(t, strings.HasPrefix(address, "https://api.example.com/media/"+id.String()+"/k1."))
	require.Equal(t, address, links.URL(id, Preview))
	parts := strings.Split(strings.TrimPrefix(address, "https://api.example.com/media/"), "/")
	require.Len(t, parts, 3)
	require.True(t, links.Signed(id, Preview, parts[1]))
	require.False(t, links.Signed(id, Original, parts[1]), "another variant")
	require.False(t, links.Signed(uuid.New(), Preview, parts[1]), "another file")
	require.False(t, links.Signed(id, "../x", ring.Sign(signed(id, "../x"))))
	require.Empty(t, NewLinks("", ring).URL(id, Original))
	require.NotContains(t, address, "expire", "BRD-16, EX-073: the file of a broadcast has no expiry")
}
