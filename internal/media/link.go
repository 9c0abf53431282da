package media

import (
	"strings"

	"github.com/google/uuid"

	"omniflow/internal/keyring"
)

// Links makes the public addresses of files, and knows them again. Whoever has
// an address may fetch the file, so nobody can guess one; they do not expire
// (BRD-16), and hold while the key that signed them is in the ring.
type Links struct {
	base string
	keys *keyring.Ring
}

// NewLinks makes addresses below base, such as https://api.example.com. With
// an empty base there are none: URL gives "".
func NewLinks(base string, keys *keyring.Ring) Links {
	return Links{base: strings.TrimRight(base, "/"), keys: keys}
}

func signed(id uuid.UUID, v Variant) string { return "media " + id.String() + " " + string(v) }

// URL is the address of a variant: base/media/{id}/{signature}, and the
// variant behind it.
func (l Links) URL(id uuid.UUID, v Variant) string {
	if l.base == "" {
		return ""
	}
	address := l.base + "/media/" + id.String() + "/" + l.keys.Sign(signed(id, v))
	if v != Original {
		address += "/" + string(v)
	}
	return address
}

// Signed says whether an address is one of ours.
func (l Links) Signed(id uuid.UUID, v Variant, signature string) bool {
	return v.Valid() && l.keys.Signed(signed(id, v), signature)
}
