package rawjson

import "cmp"

// ArrayIndex says whether name is an array index in the sense of ECMA-262, and which: a whole number below 2^32-1 in
// its canonical form.
func ArrayIndex(name string) (index uint32, ok bool) {
	rank := keyRank(name)
	return uint32(rank), rank != noIndex
}

// CompareKeys compares names of members as JavaScript orders them (ECMA-262, OrdinaryOwnPropertyKeys): array indices by
// value, before all other names. Of two other names neither comes first, so a stable sort leaves them in the order of
// creation.
func CompareKeys(a, b string) int { return cmp.Compare(keyRank(a), keyRank(b)) }

// noIndex is the rank of names that are no array index.
const noIndex = 1<<32 - 1

// keyRank is the value of an array index, and noIndex for every other name. Sorting asks often, and most names are no
// index: it makes no errors and no copies.
func keyRank(name string) uint64 {
	const longest = len("4294967294")
	if name == "" || len(name) > longest || name[0] == '0' && name != "0" {
		return noIndex
	}
	var n uint64
	for _, c := range []byte(name) {
		if !isDigit(c) {
			return noIndex
		}
		n = 10*n + uint64(c-'0')
	}
	return min(n, noIndex)
}
