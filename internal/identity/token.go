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
	sum := checksum(token)
	return id, token + string(sum[:])
}

// encoding writes checksums.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// checksum is the end of a token that begins with text.
func checksum(text string) (encoded [checksumLength]byte) {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(text)))
	encoding.Encode(encoded[:], sum[:])
	return encoded
}

// idOf is the ID in token, if that has the form of one, its checksum with it.
func idOf(token string) (id string, ok bool) {
	id, ok = claimedID(token)
	if !ok || !isBase32(token[tokenLength-checksumLength-secretLength:]) {
		return "", false
	}
	body := token[:tokenLength-checksumLength]
	sum := checksum(body)
	return id, token[len(body):] == string(sum[:])
}

// claimedID is the ID in token, if that has the form of one, whatever its checksum.
func claimedID(token string) (id string, ok bool) {
	if len(token) != tokenLength || !IsToken(token) || token[len(tokenPrefix)+idLength] != '_' {
		return "", false
	}
	id = token[len(tokenPrefix):][:idLength]
	return id, isBase32(id)
}

// IDOf is the ID that a token names, valid or not; empty if it does not have the form of one.
func IDOf(token string) string {
	id, _ := idOf(token)
	return id
}

// IsToken says whether text is a token, or was meant to be one: it is for this server and for nobody else.
func IsToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

// isBase32 says whether text has only letters and digits of base 32.
func isBase32(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
