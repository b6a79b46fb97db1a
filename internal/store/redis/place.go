package redis

import (
	"regexp"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Places. Backstage Functions puts names as they stand into keys and members, so that at one of these, where a name has a slash or a colon,
// several functions can meet: a/b's c and a's b/c at "code:a/b/c". Here
//
//   - the shared place of a function is where Backstage Functions has it, its own place the one with the namespace escaped. For most names
//     they are the same.
//   - what is at a shared place belongs to the one whose mark it has. What has none, since Backstage Functions wrote it,
//     belongs to the one with the shortest namespace of those who are listed there: see ownerMark.
//   - a function is read at both places. Where it is at both, the one that was written last counts; if that does not tell, the shared one.
//   - it is written to the shared place, unless that is another's. A namespace without a slash has precedence: who is in its way moves.
//
// So each of two functions that meet has its own code, and Backstage Functions sees all that meet no other.

// place is a key and how a function is listed there.
type place struct{ key, member string }

// maxSplits bounds how many functions that may meet are looked for.
const maxSplits = 16

// lookalike is in namespaces that could be taken for an escaped one. They have their own place only.
var lookalike = regexp.MustCompile(`(?i)%2f|%3a|%25`)

func (k keys) shared(ref function.Ref) place {
	return place{string(k) + "code:" + ref.Namespace + "/" + ref.ID, ref.Namespace + ":" + ref.ID}
}

func (k keys) own(ref function.Ref) place { return place{k.function(ref), member(ref)} }

// alone says whether no other function can be found where ref is: it has one place, and that needs no search.
func alone(ref function.Ref) bool {
	return !strings.Contains(ref.ID, "/") && !needsEscape.MatchString(ref.Namespace) || len(sharers(ref)) == 0
}

// sharers are the functions whose shared place has the key of ref's, ref among them, those with the shortest namespace first. There are none
// where ref has only its own place, and where there are too many.
func sharers(ref function.Ref) []function.Ref {
	if apart(ref) {
		return nil
	}
	all := splits(ref.Namespace+"/"+ref.ID, "/")
	if len(all) > maxSplits {
		return nil
	}
	return slices.DeleteFunc(all, apart)
}

// apart says whether a function has only its own place because of its namespace.
func apart(ref function.Ref) bool {
	return lookalike.MatchString(ref.Namespace) || strings.Contains(ref.Namespace, ":") && crowded(ref)
}

// crowded says whether too many functions could be listed as ref is to look for all of them.
func crowded(ref function.Ref) bool { return strings.Count(ref.Namespace+ref.ID, ":") >= maxSplits }

// namesakes are the functions that are listed as ref at their shared places, ref among them.
func namesakes(ref function.Ref) []function.Ref {
	if lookalike.MatchString(ref.Namespace) || crowded(ref) {
		return nil
	}
	all := splits(ref.Namespace+":"+ref.ID, ":")
	return slices.DeleteFunc(all, func(r function.Ref) bool { return lookalike.MatchString(r.Namespace) })
}

// splits are all names that text can be made of, with a separator between; at most maxSplits of them and one.
func splits(text, separator string) (all []function.Ref) {
	for at := 0; len(all) <= maxSplits; at++ {
		next := strings.Index(text[at:], separator)
		if next < 0 {
			break
		}
		at += next
		if at > 0 && at+1 < len(text) {
			all = append(all, function.Ref{Namespace: text[:at], ID: text[at+1:]})
		}
	}
	return all
}
