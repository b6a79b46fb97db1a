package redis

import (
	"regexp"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Backstage Functions builds keys and members of its list from names without escaping, so functions with a slash or a
// colon in their names can collide: a/b's c and a's b/c both have the key "code:a/b/c". Therefore a function has two
// places:
//
//   - Its shared place is where Backstage Functions has it. At its own place the namespace is escaped. For most names
//     both are the same.
//   - A record at a shared place belongs to the function that its mark names. Backstage Functions writes no mark: such
//     a record belongs to the function with the shortest namespace of those that are listed there. See ownerMark.
//   - A function is read at both places. If it is at both, the record that was written last is the current one; if
//     their times are equal, the shared one.
//   - A function is written to its shared place, unless that belongs to another. A function whose namespace has no
//     slash has precedence: the others are moved to their own places.
//
// So two functions that collide each have their own code, and Backstage Functions sees all that do not collide.

// place is a key and the member by which a function is listed there.
type place struct{ key, member string }

// maxSplits bounds how many functions that may collide are looked for.
const maxSplits = 16

// looksEscaped matches namespaces that could be mistaken for escaped ones. They have only their own place.
var looksEscaped = regexp.MustCompile(`(?i)%2f|%3a|%25`)

func (k keys) shared(ref function.Ref) place {
	return place{string(k) + "code:" + ref.Namespace + "/" + ref.ID, ref.Namespace + ":" + ref.ID}
}

func (k keys) own(ref function.Ref) place { return place{k.function(ref), member(ref)} }

// unambiguous says that no other function can have the key of ref: it has one place, and need not be searched for.
func unambiguous(ref function.Ref) bool {
	return !strings.Contains(ref.ID, "/") && !needsEscape.MatchString(ref.Namespace) || len(sameKey(ref)) == 0
}

// sameKey are the functions with the shared key of ref, ref included, the shortest namespace first. It is empty if
// ref has only its own place, or if there are too many.
func sameKey(ref function.Ref) []function.Ref {
	if ownKeyOnly(ref) {
		return nil
	}
	all := splits(ref.Namespace+"/"+ref.ID, "/")
	if len(all) > maxSplits {
		return nil
	}
	return slices.DeleteFunc(all, ownKeyOnly)
}

// ownKeyOnly says that the namespace of a function leaves it only its own place.
func ownKeyOnly(ref function.Ref) bool {
	return looksEscaped.MatchString(ref.Namespace) || strings.Contains(ref.Namespace, ":") && tooManySplits(ref)
}

// tooManySplits says that too many functions could have the list member of ref to look for all of them.
func tooManySplits(ref function.Ref) bool {
	return strings.Count(ref.Namespace+ref.ID, ":") >= maxSplits
}

// sameMember are the functions with the shared list member of ref, ref included.
func sameMember(ref function.Ref) []function.Ref {
	if looksEscaped.MatchString(ref.Namespace) || tooManySplits(ref) {
		return nil
	}
	all := splits(ref.Namespace+":"+ref.ID, ":")
	return slices.DeleteFunc(all, func(r function.Ref) bool { return looksEscaped.MatchString(r.Namespace) })
}

// splits are all names that make text with a separator between them, at most maxSplits+1.
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
