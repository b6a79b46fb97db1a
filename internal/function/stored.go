package function

// Stored is a record of a store that Backstage Functions writes to as well, for checks of all records.
type Stored struct {
	// Function is the function that is read from the record; nil if the record is too large to be read.
	*Function
	// Ref is the function that the record belongs to.
	Ref Ref
	// Code is the code as it stands in the store.
	Code string
	// EnvError says why the environment cannot be read.
	EnvError error
	// Apart says that Backstage Functions does not look where the record is, Twice that it finds another one of the
	// function.
	Apart, Twice bool
	// Meets are other functions that are listed with the same key, Lost those of them without a record of their own.
	Meets, Lost []Ref
	// Listed is a member of the list of functions without a record. Then all fields but Ref, its function, are zero.
	Listed string
	// Unclear says that the owner cannot be told: none of these functions is found.
	Unclear bool
}
