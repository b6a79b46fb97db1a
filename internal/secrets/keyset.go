package secrets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyset has the keys that values are encrypted with: one of them, the primary, encrypts, and all decrypt. Its text is
// a keyset of Tink in JSON, without a password. It does not change, and is safe for concurrent use.
type Keyset struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	primary uint32
}

// NewKeyset returns one with a new key of AES-256-GCM.
func NewKeyset() (*Keyset, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return keysetOf(handle)
}

// ParseKeyset is the inverse of Text. Its error does not show the text.
func ParseKeyset(text []byte) (*Keyset, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("it has no keyset: name another file, or one that functions secrets keygen FILE has made")
	}
	return keysetOf(handle)
}

func keysetOf(handle *keyset.Handle) (*Keyset, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("its keys are not for encryption with associated data (AEAD): %w", err)
	}
	primary, err := handle.Primary()
	if err != nil {
		return nil, err
	}
	return &Keyset{handle: handle, aead: primitive, primary: primary.KeyID()}, nil
}

// Text is the keyset with its keys in the clear.
func (k *Keyset) Text() ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, err
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// Primary is the ID of the key that encrypts, and IDs are those of all keys.
func (k *Keyset) Primary() uint32 { return k.primary }

// IDs are those of all keys, in the order in which they were made.
func (k *Keyset) IDs() []uint32 {
	var ids []uint32
	for _, info := range k.handle.KeysetInfo().GetKeyInfo() {
		ids = append(ids, info.GetKeyId())
	}
	return ids
}

// Prepared is k with one key more, which decrypts and does not encrypt yet.
func (k *Keyset) Prepared() (*Keyset, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	if _, err := manager.Add(aead.AES256GCMKeyTemplate()); err != nil {
		return nil, err
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, err
	}
	return keysetOf(handle)
}

// Rotated is k with its newest key as the primary one. If that is it already, a new key is made first.
func (k *Keyset) Rotated() (*Keyset, error) {
	next := k
	if ids := k.IDs(); ids[len(ids)-1] == k.primary {
		var err error
		if next, err = k.Prepared(); err != nil {
			return nil, err
		}
	}
	manager := keyset.NewManagerFromHandle(next.handle)
	ids := next.IDs()
	if err := manager.SetPrimary(ids[len(ids)-1]); err != nil {
		return nil, err
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, err
	}
	return keysetOf(handle)
}

// has says whether k has the key.
func (k *Keyset) has(id uint32) bool {
	for _, info := range k.handle.KeysetInfo().GetKeyInfo() {
		if info.GetKeyId() == id {
			return true
		}
	}
	return false
}

// A ciphertext of Tink begins with a byte 1 and the ID of its key, the most significant byte first.
const (
	prefixStart = 1
	prefixSize  = 5
)

// keyOf is the ID of the key that sealed was encrypted with; false for what has none.
func keyOf(sealed []byte) (id uint32, ok bool) {
	if len(sealed) < prefixSize || sealed[0] != prefixStart {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:]), true
}
