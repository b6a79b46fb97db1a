package function

// Open is a function that is open to callers whose role does not let them run it.
type Open struct {
	Ref
	// Access is AccessPublic or AccessJWT.
	Access string
}

// ParseOpen is the function that a list has with that access, as text. False is for an access that there is not. Empty
// stands for AccessPublic, which was the one that there was.
func ParseOpen(ref Ref, access string) (Open, bool) {
	switch access {
	case "":
		access = AccessPublic
	case AccessPublic, AccessJWT:
	default:
		return Open{}, false
	}
	return Open{ref, access}, true
}
