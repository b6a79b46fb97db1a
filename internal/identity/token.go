package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// A token is the text that a caller shows:
//
//	fn_ID_SECRETCHECKSUM
//
// in capital letters and the digits 2 to 7 after "fn_". The ID has 16 characters and may be shown, the secret has 26,
// which are 130 random bits. The checksum has 7: the CRC-32 (IEEE) of all before it. With it a scanner of source code
// tells a token that has leaked from a text that looks like one, and a server a damaged token without a look-up.
const (
	tokenPrefix    = "fn_"
	idLength       = 16
	secretLength   = 26
	checksumLength = 7
	tokenLength    = len(tokenPrefix) + idLength + len("_") + secretLength + checksumLength
)

// hash is what is kept of a token. A fast one is enough: nobody tries 130 random bits.
type hash = [sha256.Size]byte

func newToken() (id, token string) {
	id = rand.Text()[:idLength]
	token = tokenPrefix + id + "_" + rand.Text()[:secretLength]
	return id, token + checksum(token)
}

// encoding writes checksums.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// checksum is the end of a token that begins with text.
func checksum(text string) string {
	var sum [4]byte
	var encoded [checksumLength]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(text)))
	encoding.Encode(encoded[:], sum[:])
	return string(encoded[:])
}

// idOf is the ID in token, if that has the form of one.
func idOf(token string) (id string, ok bool) {
	if len(token) != tokenLength || !IsToken(token) {
		return "", false
	}
	id, secret := token[len(tokenPrefix):][:idLength], token[tokenLength-checksumLength-secretLength:]
	odd := strings.ContainsFunc(id, notBase32) || strings.ContainsFunc(secret, notBase32)
	if odd || token[len(tokenPrefix)+idLength] != '_' {
		return "", false
	}
	body := token[:tokenLength-checksumLength]
	return id, token[len(body):] == checksum(body)
}

// IDOf is the ID that a token names, valid or not; empty if it does not have the form of one.
func IDOf(token string) string {
	id, _ := idOf(token)
	return id
}

// IsToken says whether text is a token, or was meant to be one: it is for this server and for nobody else.
func IsToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

func notBase32(c rune) bool { return (c < 'A' || c > 'Z') && (c < '2' || c > '7') }
