package upload

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// FromObject reads files from the member "files" of a deploy: an object of texts by their paths, where {"base64":"…"}
// stands for bytes. Faults are sentences about it that begin with instance. An error is TooLarge.
func FromObject(value json.RawMessage, limit int64) (files map[string][]byte, faults []string, err error) {
	const instance = "instance.files"
	if !rawjson.IsObject(value) {
		return nil, []string{instance + " is not of a type(s) object"}, nil
	}
	files = map[string][]byte{}
	spent := &budget{limit: limit, left: limit}
	for key, member := range rawjson.Members(value) {
		path := rawjson.Unquote(key)
		at := fmt.Sprintf("%s[%q]", instance, path)
		if len(files) > function.MaxFiles {
			break // FilesFaults tells
		}
		fault := function.PathFault(path)
		if _, twice := files[path]; twice {
			fault = " is there twice"
		}
		content, contentFault := contentOf(member)
		if fault == "" {
			fault = contentFault
		}
		if fault != "" {
			if faults = append(faults, at+fault); len(faults) == maxFaults {
				return nil, faults, nil
			}
			continue
		}
		if err := spent.spend(int64(len(content))); err != nil {
			return nil, nil, err
		}
		files[path] = content
	}
	if len(faults) > 0 {
		return nil, faults, nil
	}
	return files, whole(instance, files), nil
}

// maxFaults is how many are told at most.
const maxFaults = 20

// whole is what is wrong with the files as a whole.
func whole(instance string, files map[string][]byte) []string {
	faults := function.FilesFaults(files)
	slices.Sort(faults)
	faults = faults[:min(len(faults), maxFaults)]
	for i := range faults {
		faults[i] = instance + faults[i]
	}
	return faults
}

// contentOf is the content of one file; fault is the end of a sentence about it.
func contentOf(value json.RawMessage) (content []byte, fault string) {
	if rawjson.IsString(value) {
		return []byte(rawjson.Unquote(value)), ""
	}
	const want = ` is neither a string nor {"base64":"…"}`
	if !rawjson.IsObject(value) {
		return nil, want
	}
	count := 0
	for key, member := range rawjson.Members(value) {
		if count++; count > 1 || rawjson.Unquote(key) != "base64" || !rawjson.IsString(member) {
			return nil, want
		}
		var err error
		if content, err = base64.StdEncoding.DecodeString(rawjson.Unquote(member)); err != nil {
			return nil, ".base64 is not base64 as of RFC 4648, section 4"
		}
	}
	if count == 0 {
		return nil, want
	}
	return content, ""
}
