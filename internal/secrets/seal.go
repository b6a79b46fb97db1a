package secrets

import (
	"encoding/json"
	"fmt"

	"github.com/backstage/functions/internal/function"
)

// seal makes the encrypted value of s.
func (k *Keyset) seal(s *function.Secret, value []byte) ([]byte, error) {
	return k.aead.Encrypt(value, place(s))
}

// open returns the value of s. It fails for one that was encrypted as something else.
func (k *Keyset) open(s *function.Secret) ([]byte, error) {
	id, ok := keyOf(s.Sealed)
	switch {
	case !s.Whole() || !ok:
		return nil, fmt.Errorf("%w: it is no record of a secret", errDamaged)
	case !k.has(id):
		return nil, fmt.Errorf("%w: it is encrypted with the key %d, which is not in SECRETS_KEYSET_FILE", errDamaged, id)
	}
	value, err := k.aead.Decrypt(s.Sealed, place(s))
	if err != nil {
		return nil, fmt.Errorf("%w: it was encrypted as another one, or was changed", errDamaged)
	}
	return value, nil
}

// place is the associated data of a value: all that a record says beside it, and where it is. Who can write to the
// store cannot give one secret the value of another one, nor that of an earlier version.
func place(s *function.Secret) []byte {
	text, err := json.Marshal([]any{
		"functions secret 1", s.Namespace, s.ID, s.Name, s.Version, s.Created.UnixMilli(), s.Updated.UnixMilli(),
	})
	if err != nil { // texts and numbers always marshal
		panic(err)
	}
	return text
}
