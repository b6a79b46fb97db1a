package identity

import (
	"strings"
	"testing"
	"time"
)

// A record that somebody puts in another's place opens nothing: the hash is of a token with its own ID. One whose role
// was changed is what it says; who writes to the store decides about it.
func TestRecordsThatAreSwappedOpenNothing(t *testing.T) {
	mine, token := New(Key{Role: Invoke, Namespaces: []Pattern{"a"}})
	admin, _ := New(Key{Role: Admin, Namespaces: []Pattern{"*"}})
	swapped, err := Parse(mine.ID, admin.Record())
	if err != nil {
		t.Fatal(err)
	}
	moved, err := Parse(admin.ID, mine.Record())
	if err != nil {
		t.Fatal(err)
	}
	ring := NewKeyring()
	ring.Set([]Key{swapped, moved})
	if key, err := ring.Find(token, time.Now()); err == nil {
		t.Errorf("the token opens %+v", key)
	}
	for _, broken := range []string{
		strings.Replace(string(mine.Record()), "invoke", "root", 1), strings.Replace(string(mine.Record()), `"a"`, "", 1),
		string(mine.Record())[:60], "", "null", strings.Replace(string(mine.Record()), `"hash":"`, `"hash":"zz`, 1),
	} {
		if key, err := Parse(mine.ID, []byte(broken)); err == nil {
			t.Errorf("%s is the key %+v", broken, key)
		}
	}
}
