// Package keyring holds the keys of omniflow: it seals secrets at rest and
// workflow payloads with AES-256-GCM, and signs the API's bearer tokens. Keys
// rotate: the first of a list is used for new things, all of them for old ones.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// KeyBytes is the length of an encryption key: AES-256.
const KeyBytes = 32

// ErrOpen is returned for what no key of the ring opens: a foreign key id, a
// changed text, or other associated data.
var ErrOpen = errors.New("open sealed data: no key fits")

// keyID names a key in what it sealed: short, printable, without separators.
var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Key is one named secret.
type Key struct {
	ID     string
	Secret []byte
}

// ParseKeys reads "k2:base64,k1:base64" (standard base64, with or without
// padding): newest first. Every secret has at least minBytes. The error names
// every fault of the list, and no secret.
func ParseKeys(s string, minBytes int) ([]Key, error) {
	var keys []Key
	var faults []error
	seen := map[string]bool{}
	for i, part := range strings.Split(s, ",") {
		key, err := parseKey(strings.TrimSpace(part), minBytes)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("key %d: %w", i+1, err))
		case seen[key.ID]:
			faults = append(faults, fmt.Errorf("key %d: id %q is used twice", i+1, key.ID))
		default:
			seen[key.ID] = true
			keys = append(keys, key)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return keys, nil
}

func parseKey(s string, minBytes int) (Key, error) {
	id, text, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errors.New("want id:base64")
	}
	if !keyID.MatchString(id) {
		return Key{}, errors.New("the id must be 1 to 32 letters, digits, - or _")
	}
	secret, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return Key{}, fmt.Errorf("%q is not base64", id)
	}
	if len(secret) < minBytes {
		return Key{}, fmt.Errorf("%q has %d bytes, want at least %d", id, len(secret), minBytes)
	}
	return Key{ID: id, Secret: secret}, nil
}

// Ring seals with its first key and opens with any. It is safe for concurrent use.
type Ring struct {
	first string
	aeads map[string]cipher.AEAD
	macs  map[string][]byte // of Sign, derived from the same secrets
}

// Parse makes a Ring of AES-256 keys written as ParseKeys says; each has
// exactly 32 bytes. The error names every fault.
func Parse(s string) (*Ring, error) {
	keys, err := ParseKeys(s, KeyBytes)
	if err != nil {
		return nil, fmt.Errorf("parse encryption keys: %w", err)
	}
	r := &Ring{first: keys[0].ID, aeads: make(map[string]cipher.AEAD, len(keys)), macs: make(map[string][]byte, len(keys))}
	var faults []error
	for _, key := range keys {
		if len(key.Secret) != KeyBytes {
			faults = append(faults, fmt.Errorf("%q has %d bytes, want %d", key.ID, len(key.Secret), KeyBytes))
			continue
		}
		block, err := aes.NewCipher(key.Secret)
		if err != nil {
			return nil, fmt.Errorf("parse encryption keys: %w", err)
		}
		if r.aeads[key.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("parse encryption keys: %w", err)
		}
		r.macs[key.ID] = macKey(key.Secret)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("parse encryption keys: %w", errors.Join(faults...))
	}
	return r, nil
}

// KeyID is the id of the key that seals.
func (r *Ring) KeyID() string { return r.first }

// SealWith seals plain under the first key and returns that key's id beside
// the sealed bytes. What opens it must show the same associated data.
func (r *Ring) SealWith(plain, associated []byte) (id string, sealed []byte) {
	return r.first, r.aeads[r.first].Seal(nil, nil, plain, associated)
}

// OpenWith opens what SealWith sealed under the key id. Error: ErrOpen.
func (r *Ring) OpenWith(id string, sealed, associated []byte) ([]byte, error) {
	aead, ok := r.aeads[id]
	if !ok {
		return nil, fmt.Errorf("%w: unknown key %q", ErrOpen, id)
	}
	plain, err := aead.Open(nil, nil, sealed, associated)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Seal is SealWith with the key's id in front: "id:" and the sealed bytes.
func (r *Ring) Seal(plain, associated []byte) []byte {
	id, sealed := r.SealWith(plain, associated)
	return append([]byte(id+":"), sealed...)
}

// Open opens what Seal sealed. Error: ErrOpen.
func (r *Ring) Open(sealed, associated []byte) ([]byte, error) {
	id, rest, ok := strings.Cut(string(sealed), ":")
	if !ok {
		return nil, ErrOpen
	}
	return r.OpenWith(id, []byte(rest), associated)
}

// NewKey makes a random key named id, in the form ParseKeys reads.
func NewKey(id string) string {
	secret := make([]byte, KeyBytes)
	rand.Read(secret) // never fails: crypto/rand ends the program instead
	return id + ":" + base64.StdEncoding.EncodeToString(secret)
}

// AccountSecrets is the associated data under which the secrets of a channel
// account are sealed: those of one account do not open as another's.
func AccountSecrets(accountID fmt.Stringer) []byte {
	return []byte("channel account " + accountID.String())
}
