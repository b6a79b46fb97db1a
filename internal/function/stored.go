package function

// Stored is a record as a store that others write to as well has it, for those who look through all of them.
type Stored struct {
	// Function is what the record is read as; nil when it is too large to be read.
	*Function
	// Ref is who it belongs to.
	Ref Ref
	// Code is the code as it stands in the store.
	Code string
	// EnvError is why the environment cannot be read.
	EnvError error
	// Apart says that the record is where Backstage Functions does not look for it, Twice that it has another one there.
	Apart, Twice bool
	// Meets are others who are listed where it is, Lost those of them who have no record of their own.
	Meets, Lost []Ref
	// Listed is a member of the list of functions that has no record; then all but Ref, whom it stands for, is zero.
	Listed string
	// Unclear says that nothing tells whose of all these it is: none of them is found.
	Unclear bool
}
