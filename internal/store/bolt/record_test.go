package bolt

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// What encoding/json makes of a record, decodeFunction makes of it, too.
func TestRecordsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	ref := function.Ref{Namespace: "ns", ID: "f"}
	for _, text := range []string{
		`{"versionID":"v","hash":"h","code":"c","created":"1","updated":"2"}`,
		`{"code":"a\n\"\\\/\u0061\ud83d\ude00\u2028 é😀","env":{"B":"1","2":"x","A":null},"versionID":"v"}`,
		` { "code" : "" , "env" : null , "hash" : null } `,
		`{"code":"1","code":"2","other":{"a":[1,{}]},"h\u0061sh":"h"}`,
		"{\"code\":\"\xff\xed\xa0\x80 \\ud800\"}",
		`{}`, `{"code":1}`, `{"hash":{}}`, `{"env":"x"}`, `{"env":[]}`, `{"created":true}`,
		``, `null`, `[]`, `"code"`, `{`, `{"code":"a}`, `{"code":"a"}x`, `{"code":"a",}`, `{'code':"a"}`, "{\"code\":\"a\nb\"}",
	} {
		var want functionRecord
		failed := json.Unmarshal([]byte(text), &want)
		got, err := decodeFunction(ref, []byte(text))
		if text == `null` { // a record is an object
			failed = err
		}
		if (err == nil) != (failed == nil) {
			t.Errorf("%s: %v, encoding/json says %v", text, err, failed)
			continue
		}
		if err != nil {
			continue
		}
		read := functionRecord{
			VersionID: got.VersionID, Hash: got.Hash, Code: got.Code, Env: got.Env, Created: got.Created, Updated: got.Updated,
		}
		if !reflect.DeepEqual(read, want) {
			t.Errorf("%s: %+v, want %+v", text, read, want)
		}
	}
}

func TestRecordsKeepEveryField(t *testing.T) {
	runtime, most := "node24", 7
	f := &function.Function{
		Ref: function.Ref{Namespace: "ns", ID: "f"}, Code: "\"</script>\u2028\\é😀", Hash: "h", VersionID: "v",
		Created: "c", Updated: "u", Env: function.NewEnv(function.Var{Name: "B", Value: "\n"}),
		Options: function.Options{Runtime: &runtime, MaxInvocations: &most},
	}
	text, err := encodeFunction(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeFunction(f.Ref, text); err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("%+v, %v, want %+v", got, err, f)
	}
}
