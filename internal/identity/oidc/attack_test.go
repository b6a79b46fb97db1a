package oidc_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/identity/oidc"
)

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// Whatever is wrong with a token, callers learn the same: that there is no such key.
func TestTokensThatAreRefused(t *testing.T) {
	mine := private(rsaKey(), "a")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t, mine, private(newECDSA(t), "ec"))
	v := i.verifier(t)
	good := sign(t, mine, jose.RS256, i.claims(nil), "typ", "JWT")
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	now := i.at()
	changed := func(name string, value any) string {
		return sign(t, mine, jose.RS256, i.claims(map[string]any{name: value}))
	}
	headed := func(headers ...any) string { return sign(t, mine, jose.RS256, i.claims(nil), headers...) }
	public := x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(&rsaKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	confused := func(secret []byte) string {
		return sign(t, jose.JSONWebKey{Key: secret, KeyID: "a"}, jose.HS256, i.claims(nil))
	}
	asPEM := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: &rsaKey().PublicKey}, nil)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := encrypter.Encrypt([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	nested, err := encrypted.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	own := private(other, "a")
	for _, row := range []struct {
		name, token string
		want        error
	}{
		{"good", good, nil},
		{"good again", good, nil},
		{"as an access token", headed("typ", "at+jwt"), nil},
		{"for one of several", changed("aud", []string{"x", "other"}), nil},
		{"none", part(`{"alg":"none"}`) + "." + payload + ".", identity.ErrUnknown},
		{"none with the old signature", part(`{"alg":"none","kid":"a"}`) + "." + payload + "." + signature, identity.ErrUnknown},
		{"None", part(`{"alg":"None"}`) + "." + payload + ".", identity.ErrUnknown},
		{"no algorithm", part(`{"kid":"a"}`) + "." + payload + "." + signature, identity.ErrUnknown},
		{"the public key as a secret, PKCS 1", confused(public), identity.ErrUnknown},
		{"the public key as a secret, SPKI", confused(spki), identity.ErrUnknown},
		{"the public key as a secret, PEM", confused(asPEM("PUBLIC KEY", spki)), identity.ErrUnknown},
		{"the public key as a secret, PEM of PKCS 1", confused(asPEM("RSA PUBLIC KEY", public)), identity.ErrUnknown},
		{"another algorithm in the header", part(`{"alg":"RS512","kid":"a"}`) + "." + payload + "." + signature, identity.ErrUnknown},
		{"an algorithm of other keys", part(`{"alg":"ES256","kid":"a"}`) + "." + payload + "." + signature, identity.ErrUnknown},
		{"signed by another key of that name", sign(t, own, jose.RS256, i.claims(nil)), identity.ErrUnknown},
		{"with its own key in it", sign(t, own, jose.RS256, i.claims(nil), "jwk", own.Public()), identity.ErrUnknown},
		{"with the address of a key", sign(t, own, jose.RS256, i.claims(nil), "jku", i.URL+"/own"), identity.ErrUnknown},
		{"with a path as the name of its key", sign(t, private(other, "../../dev/null"), jose.RS256, i.claims(nil)), identity.ErrUnknown},
		{"without the name of a key", sign(t, private(rsaKey(), ""), jose.RS256, i.claims(nil)), identity.ErrUnknown},
		{"another audience", changed("aud", "shop"), identity.ErrUnknown},
		{"a part of the audience", changed("aud", "function"), identity.ErrUnknown},
		{"no audience", changed("aud", nil), identity.ErrUnknown},
		{"an empty list of audiences", changed("aud", []string{}), identity.ErrUnknown},
		{"another issuer", changed("iss", "https://evil.example"), identity.ErrForeign},
		{"the issuer with a slash", changed("iss", i.URL+"/"), identity.ErrForeign},
		{"no issuer", changed("iss", nil), identity.ErrForeign},
		{"an issuer that is no text", changed("iss", []string{i.URL}), identity.ErrForeign},
		{"expired", changed("exp", now.Add(-time.Second).Unix()), identity.ErrUnknown},
		{"at its end", changed("exp", now.Unix()), identity.ErrUnknown},
		{"no end", changed("exp", nil), identity.ErrUnknown},
		{"an end that is no number", changed("exp", "tomorrow"), identity.ErrUnknown},
		{"an end that is null", sign(t, mine, jose.RS256, []byte(`{"iss":"`+i.URL+`","aud":"functions","sub":"a","exp":null}`)), identity.ErrUnknown},
		{"not yet valid", changed("nbf", now.Add(2*time.Minute).Unix()), identity.ErrUnknown},
		{"not yet valid by a fraction", changed("nbf", float64(now.Unix())+61.5), identity.ErrUnknown},
		{"valid in a moment", changed("nbf", now.Add(30*time.Second).Unix()), nil},
		{"made in the future", changed("iat", now.Add(time.Hour).Unix()), identity.ErrUnknown},
		{"of nobody", changed("sub", nil), identity.ErrUnknown},
		{"critical", part(`{"alg":"RS256","kid":"a","crit":["exp"],"exp":1}`) + "." + payload + "." + signature, identity.ErrUnknown},
		{"critical as is signed", signCritical(t, i), identity.ErrUnknown},
		{"nested", headed("cty", "JWT"), identity.ErrUnknown},
		{"to end a session", headed("typ", "logout+jwt"), identity.ErrUnknown},
		{"proof of possession", headed("typ", "dpop+jwt"), identity.ErrUnknown},
		{"encrypted", nested, identity.ErrForeign},
		{"JSON", `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + signature + `"}`, identity.ErrForeign},
		{"cut", good[:len(good)-1], identity.ErrUnknown},
		{"without a signature", head + "." + payload + ".", identity.ErrUnknown},
		{"with two signatures", good + "." + signature, identity.ErrForeign},
		{"with a space", head + "." + payload + ". " + signature, identity.ErrUnknown},
		{"with a line", head + "." + payload + ".\n" + signature, identity.ErrUnknown},
		{"padded", good + "=", identity.ErrUnknown},
		{"twice", good + "," + good, identity.ErrForeign},
		{"huge", sign(t, mine, jose.RS256, i.claims(map[string]any{"x": strings.Repeat("x", 20_000)})), identity.ErrUnknown},
		{"nothing", "", identity.ErrForeign},
		{"points", "..", identity.ErrForeign},
		{"claims that are no object", sign(t, mine, jose.RS256, []byte(`["`+i.URL+`"]`)), identity.ErrForeign},
		{"claims that are no UTF-8", sign(t, mine, jose.RS256, fmt.Appendf(nil,
			`{"iss":%q,"aud":"functions","sub":"a","exp":%d,"x":"`+"\xff"+`"}`, i.URL, now.Add(time.Hour).Unix())), identity.ErrUnknown},
	} {
		if b := find(t, v, i, row.token, row.want); t.Failed() {
			t.Fatalf("%s: %+v", row.name, b)
		}
	}
	if !v.Issued(good) || !v.Issued(strings.Repeat("a.", 20_000)) || v.Issued(changed("iss", "https://evil.example")) {
		t.Error("it is not told whose a token is")
	}
}

// signCritical makes a token whose signature is that of a header with an extension.
func signCritical(t *testing.T, i *issuer) string {
	t.Helper()
	return sign(t, private(rsaKey(), "a"), jose.RS256, i.claims(nil), "crit", []string{"b64"}, "b64", true)
}

func TestATokenSaysWhoItsHolderIs(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	v := i.verifier(t)
	b := find(t, v, i, sign(t, key, jose.ES256, i.claims(nil)), nil)
	if b == nil || b.Issuer != i.URL || b.Subject != "ada" || !b.Expires.Equal(i.at().Add(time.Hour).Truncate(time.Second)) {
		t.Fatalf("it is of %+v", b)
	}
	var claims map[string]any
	if err := json.Unmarshal(b.Claims, &claims); err != nil || claims["sub"] != "ada" || len(claims) != 6 {
		t.Errorf("claims are %s, %v", b.Claims, err)
	}
	if !b.May(identity.Deploy, "shop") || b.May(identity.Deploy, "shop2") || b.May(identity.Admin, "shop") ||
		!b.MayRun("shop2") || b.MayRun("bank") {
		t.Errorf("they may %+v, and run %v", b.Grants, b.Runs)
	}
	b = find(t, v, i, sign(t, key, jose.ES256, i.claims(map[string]any{"groups": "tea"})), nil)
	if b == nil || b.Has(identity.Invoke) {
		t.Errorf("another group may %+v", b)
	}
}

// What is written of a token that is refused is why, not what it is.
func TestTheLogHasNoTokens(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	var out bytes.Buffer
	v := oidc.New(oidc.Options{
		Issuers: []identity.Issuer{i.described()}, Logger: slog.New(slog.NewTextHandler(&out, nil)), Now: i.at,
	})
	go v.Run(t.Context())
	for _, changes := range []map[string]any{{"exp": 1}, {"aud": "x"}, {"sub": nil}} {
		token := sign(t, key, jose.ES256, i.claims(changes))
		find(t, v, i, token, identity.ErrUnknown)
		i.later(time.Minute)
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(out.String(), part) {
				t.Errorf("%s has %s", out.String(), part)
			}
		}
	}
	if n := strings.Count(out.String(), "A token was refused"); n != 3 {
		t.Errorf("%d lines: %s", n, out.String())
	}
}

// An issuer cannot make a server read without end, nor send it elsewhere.
func TestAnswersOfAnIssuerAreBounded(t *testing.T) {
	key := private(rsaKey(), "a")
	for name, answer := range map[string]http.HandlerFunc{
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1000)); err != nil {
					return
				}
			}
		},
		"to another scheme": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"to http elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/keys", http.StatusFound)
		},
		"in a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) },
		"not there":   http.NotFound,
		"no keys":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"no JSON":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
		"a secret": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","k":"YQ"}]}`))
		},
		"too many": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[` + strings.Repeat(`{},`, 50) + `{}]}`))
		},
		"for other things": func(w http.ResponseWriter, _ *http.Request) {
			writeKeys(w, jose.JSONWebKey{Key: &rsaKey().PublicKey, KeyID: "a", Use: "enc"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, key)
			i.answerWith(answer)
			v := i.verifier(t)
			find(t, v, i, sign(t, key, jose.RS256, i.claims(nil)), identity.ErrKeysUnknown)
			if _, err := v.Check(t.Context()); err == nil {
				t.Error("nothing is wrong with the issuer")
			}
		})
	}
}

func writeKeys(w http.ResponseWriter, keys ...jose.JSONWebKey) {
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
}

// The document of one issuer cannot speak for another, nor have keys elsewhere over plain HTTP.
func TestTheDocumentOfAnIssuerIsItsOwn(t *testing.T) {
	key := private(rsaKey(), "a")
	for name, change := range map[string]map[string]any{
		"another issuer": {"issuer": "https://other.example"}, "keys over http": {"jwks_uri": "http://192.0.2.1/keys"},
		"keys in a file": {"jwks_uri": "file:///etc/passwd"}, "no keys": {"jwks_uri": nil},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, key)
			for member, value := range change {
				i.config[member] = value
			}
			find(t, i.verifier(t), i, sign(t, key, jose.RS256, i.claims(nil)), identity.ErrKeysUnknown)
		})
	}
}
