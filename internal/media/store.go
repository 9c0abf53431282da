package media

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/gabriel-vasile/mimetype"
	"github.com/google/uuid"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///var/lib/omniflow/blob
	_ "gocloud.dev/blob/memblob"  // mem://, of one process
	"gocloud.dev/gcerrors"

	"omniflow/internal/omniflow"
)

// Variant tells the stored forms of one file apart.
type Variant string

// The variants. LINE shows images of at most 10 MB and previews of at most
// 1 MB (channels/line.md section 4).
const (
	Original Variant = ""
	Preview  Variant = "preview" // JPEG; of images and videos
	ForLINE  Variant = "line"    // of images over MaxLINEImage
)

// Limits of LINE's pictures.
const (
	MaxLINEImage = 10 * omniflow.MB
	maxPreview   = omniflow.MB
)

// Valid says whether v is a variant that an address may name.
func (v Variant) Valid() bool { return v == Original || v == Preview || v == ForLINE }

// ErrNotFound is returned for a file that is not in the store.
var ErrNotFound = errors.New("no such file")

// Store keeps bytes under the id of their media. It is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
}

// OpenStore opens the store at address: file:///a/directory, which is made, or
// mem:// for tests.
func OpenStore(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("open blob store: not a URL")
	}
	if u.Scheme == "file" {
		q := u.Query()
		q.Set("create_dir", "true")
		q.Set("no_tmp_dir", "true") // a rename from another disk would fail
		q.Set("metadata", "skip")
		u.RawQuery = q.Encode()
	}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return &Store{bucket: bucket}, nil
}

// Close gives the store's connections back.
func (s *Store) Close() error { return s.bucket.Close() }

func key(id uuid.UUID, v Variant) string {
	if v == Original {
		return "media/" + id.String()
	}
	return "media/" + id.String() + "." + string(v)
}

// Put stores what r gives under id and says what it is. Storing again under
// the same id replaces it.
//
// Errors: *omniflow.Refusal body_too_large over omniflow.MaxMediaBytes,
// message_empty for no bytes, media_type_unsupported where name and bytes
// contradict each other or an image cannot be read. Nothing is stored then.
func (s *Store) Put(ctx context.Context, id uuid.UUID, name string, r io.Reader) (omniflow.Media, error) {
	m, err := s.Keep(ctx, id, name, r)
	if err != nil {
		return m, err
	}
	return m, s.addVariants(ctx, m)
}

// Keep is Put without the smaller pictures: nothing is read into memory, and a
// picture may be damaged. A file without a name gets one that says its type.
func (s *Store) Keep(ctx context.Context, id uuid.UUID, name string, r io.Reader) (omniflow.Media, error) {
	m := omniflow.Media{ID: id, Name: cleanName(name)}
	head := bufio.NewReaderSize(r, sniffBytes)
	start, err := head.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("read file: %w", err)
	}
	if len(start) == 0 {
		return m, omniflow.Refuse(omniflow.MessageEmpty, "FIL-01", "the file is empty")
	}
	var refusal *omniflow.Refusal
	if m.Kind, m.MIME, refusal = identify(start, m.Name); refusal != nil {
		return m, refusal
	}
	if name == "" {
		m.Name += mimetype.Detect(start).Extension()
	}
	return m, s.write(ctx, &m, head)
}

// write streams the bytes into the bucket; an error leaves nothing there.
func (s *Store) write(ctx context.Context, m *omniflow.Media, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, key(m.ID, Original), &blob.WriterOptions{ContentType: m.MIME})
	if err != nil {
		return fmt.Errorf("store file %s: %w", m.ID, err)
	}
	hash := sha256.New()
	m.Bytes, err = io.Copy(io.MultiWriter(w, hash), io.LimitReader(r, omniflow.MaxMediaBytes+1))
	if err == nil && m.Bytes > omniflow.MaxMediaBytes {
		err = omniflow.Refuse(omniflow.BodyTooLarge, "D-FIL-3", "a file has at most %d MB", omniflow.MaxMediaBytes/omniflow.MB)
	}
	if err != nil {
		cancel() // Close then keeps nothing
		return errors.Join(err, ignoreCancelled(w.Close()))
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("store file %s: %w", m.ID, err)
	}
	m.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return nil
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) || gcerrors.Code(err) == gcerrors.Canceled {
		return nil
	}
	return err
}

// Get opens a variant of a file: ErrNotFound if it has none such.
func (s *Store) Get(ctx context.Context, id uuid.UUID, v Variant) (*blob.Reader, error) {
	r, err := s.bucket.NewReader(ctx, key(id, v), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open file %s: %w", id, err)
	}
	return r, nil
}

// Read is the whole of a file, at most omniflow.MaxMediaBytes.
func (s *Store) Read(ctx context.Context, id uuid.UUID) ([]byte, error) {
	data, err := s.bucket.ReadAll(ctx, key(id, Original))
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read file %s: %w", id, err)
	}
	return data, nil
}
