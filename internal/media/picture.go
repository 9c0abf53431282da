package media

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"omniflow/internal/omniflow"
)

const (
	maxPixels   = 50_000_000 // 200 MB in memory; more is refused
	previewSide = 1024       // pixels of a preview's longer side
)

// qualities are what JPEG is tried with before a picture is made smaller
// (D-RPL-2).
var qualities = []int{90, 80, 70, 60}

// addVariants stores the pictures that LINE wants of an image or a video.
func (s *Store) addVariants(ctx context.Context, m omniflow.Media) error {
	switch {
	case m.Kind == omniflow.Video:
		return s.putVariant(ctx, m, Preview, still())
	case m.Kind != omniflow.Image || m.MIME != "image/jpeg" && m.MIME != "image/png":
		return nil
	}
	data, err := s.Read(ctx, m.ID)
	if err != nil {
		return err
	}
	picture, err := decode(data)
	if err != nil {
		return err
	}
	preview, err := encode(within(picture, previewSide), "image/jpeg", maxPreview)
	if err != nil {
		return err
	}
	if err := s.putVariant(ctx, m, Preview, preview); err != nil || m.Bytes <= MaxLINEImage {
		return err
	}
	smaller, err := encode(picture, m.MIME, MaxLINEImage)
	if err != nil {
		return err
	}
	return s.putVariant(ctx, m, ForLINE, smaller)
}

func (s *Store) putVariant(ctx context.Context, m omniflow.Media, v Variant, data []byte) error {
	if err := s.bucket.WriteAll(ctx, key(m.ID, v), data, nil); err != nil {
		return fmt.Errorf("store %s of file %s: %w", v, m.ID, err)
	}
	return nil
}

// Fit makes a JPEG or PNG of at most limit bytes out of data, in the same
// format and proportions: first by quality, then by size (RPL-05, D-RPL-2).
// What fits comes back as it is. Errors: media_type_unsupported.
func Fit(data []byte, mime string, limit int64) ([]byte, error) {
	if int64(len(data)) <= limit {
		return data, nil
	}
	picture, err := decode(data)
	if err != nil {
		return nil, err
	}
	return encode(picture, mime, limit)
}

func decode(data []byte) (image.Image, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err == nil && config.Width*config.Height > maxPixels {
		return nil, omniflow.Refuse(omniflow.MediaTypeUnsupported, "FIL-04", "the image has more than %d pixels", maxPixels)
	}
	var picture image.Image
	if err == nil {
		picture, _, err = image.Decode(bytes.NewReader(data))
	}
	if err != nil {
		return nil, omniflow.Refuse(omniflow.MediaTypeUnsupported, "FIL-04", "the image cannot be read")
	}
	return picture, nil
}

// encode writes a picture in at most limit bytes; it ends, since each round
// halves the pixels.
func encode(picture image.Image, mime string, limit int64) ([]byte, error) {
	for {
		for _, quality := range qualities {
			data, err := write(picture, mime, quality)
			if err != nil {
				return nil, fmt.Errorf("write picture: %w", err)
			}
			if int64(len(data)) <= limit {
				return data, nil
			}
			if mime != "image/jpeg" {
				break // PNG has no quality
			}
		}
		side := max(picture.Bounds().Dx(), picture.Bounds().Dy())
		picture = within(picture, side*7/10)
	}
}

func write(picture image.Image, mime string, quality int) ([]byte, error) {
	var out bytes.Buffer
	if mime == "image/jpeg" {
		err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
		return out.Bytes(), err
	}
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, picture)
	return out.Bytes(), err
}

// within is a picture whose longer side has at most side pixels.
func within(picture image.Image, side int) image.Image {
	b := picture.Bounds()
	longer := max(b.Dx(), b.Dy())
	if longer <= side || side < 1 {
		return picture
	}
	out := image.NewRGBA(image.Rect(0, 0, max(b.Dx()*side/longer, 1), max(b.Dy()*side/longer, 1)))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), picture, b, draw.Src, nil)
	return out
}

// still is the picture shown before a video plays: a triangle on grey, since
// nothing here reads video.
func still() []byte {
	const width, height = 640, 360
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := color.Gray{Y: 48}
			if dy := y - height/2; x >= width/2-40 && abs(dy)*10 <= (width/2+60-x)*6 {
				shade.Y = 224
			}
			picture.SetGray(x, y, shade)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		panic(err) // into memory, a picture of our own
	}
	return out.Bytes()
}

func abs(n int) int { return max(n, -n) }
