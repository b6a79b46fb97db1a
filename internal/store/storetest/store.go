// Package storetest is the contract that every store of functions keeps, as a suite of tests.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Store is everything that a store of functions can do. Its methods are safe for concurrent use. Every error of a store
// that cannot be reached wraps function.ErrUnavailable; a context that has ended is reported as its cause.
type Store interface {
	// Name is the store's name in /status.
	Name() string
	// Ping returns nil when the store can be used now.
	Ping(ctx context.Context) error
	// Get returns a copy of a function together with its namespace's settings, or function.ErrNotFound.
	Get(ctx context.Context, ref function.Ref) (*function.Function, error)
	// Version returns the Version of the function that Get would return, for less, or function.ErrNotFound.
	Version(ctx context.Context, ref function.Ref) (string, error)
	// Put writes Ref, Code and Env of f and returns a copy of what is stored now; see function.Function.Revise. It
	// returns function.ErrIncomplete when one of namespace, ID and code is empty.
	Put(ctx context.Context, f *function.Function) (*function.Function, error)
	// Delete removes a function and its lines; a missing one is no error.
	Delete(ctx context.Context, ref function.Ref) error
	// SetEnv sets one variable of a function, or returns function.ErrNotFound or, when all variables together would be beyond
	// the limits of the store, a *function.EnvLimitError.
	SetEnv(ctx context.Context, ref function.Ref, name, value string) error
	// UnsetEnv removes one variable of a function, or returns function.ErrNotFound or function.ErrEnvNotFound.
	UnsetEnv(ctx context.Context, ref function.Ref, name string) error
	// List returns a page of the functions in the order of function.Ref.Compare, or function.ErrInvalidPage. A page
	// beyond the end has no items.
	List(ctx context.Context, q function.Query) (*function.Page, error)
	// GetNamespace returns a copy of a namespace's record, or function.ErrNamespaceNotFound.
	GetNamespace(ctx context.Context, name string) (*function.Namespace, error)
	// PutNamespace replaces a namespace's record.
	PutNamespace(ctx context.Context, n *function.Namespace) error
	// DeleteNamespace removes a namespace's record and the lines of its functions, not the functions; a missing one is
	// no error.
	DeleteNamespace(ctx context.Context, name string) error
	// Watch calls notify for every write from now on, one call at a time, until ctx ends; it returns after the last call.
	Watch(ctx context.Context, notify func(function.Change))
	// AppendLog keeps lines of any functions, in order, within the limits; it returns how many it kept, and an error if
	// that is not all of them.
	AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (kept int, err error)
	// ReadLog returns the lines that q selects, none for a function that is not there.
	ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error)
	// AwaitLog returns the first lines after a place, at most limit, and waits for one if there is none. It returns none,
	// and no error, when none has come within the given time.
	AwaitLog(ctx context.Context, ref function.Ref, after function.LogCursor, limit int, within time.Duration) ([]function.LogLine, error)
	// Close releases what the store holds. Every later call returns an error; a second Close returns nil.
	Close() error
}

// OwnerSeparator ends the name of an owner in that of a namespace, in stores that are tested.
const OwnerSeparator = "+"

// Run runs the suite. Open returns an empty store with OwnerSeparator; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"PutThenGet":               testPutThenGet,
		"PutKeepsAndReplacesEnv":   testPutKeepsAndReplacesEnv,
		"PutKeepsCreated":          testPutKeepsCreated,
		"PutKeepsOptions":          testPutKeepsOptions,
		"PutKeepsEveryOption":      testPutKeepsEveryOption,
		"PutRefusesIncomplete":     testPutRefusesIncomplete,
		"EveryWriteIsANewVersion":  testEveryWriteIsANewVersion,
		"MissingFunctions":         testMissingFunctions,
		"Delete":                   testDelete,
		"DeleteThenPutStartsAnew":  testDeleteThenPutStartsAnew,
		"NamesOfAnyKind":           testNamesOfAnyKind,
		"CodeOfAnyKind":            testCodeOfAnyKind,
		"CopiesAreNotShared":       testCopiesAreNotShared,
		"SetEnv":                   testSetEnv,
		"UnsetEnv":                 testUnsetEnv,
		"EnvIsBounded":             testEnvIsBounded,
		"EnvIsBoundedAtOnce":       testEnvIsBoundedAtOnce,
		"EnvKeepsOrder":            testEnvKeepsOrder,
		"ConcurrentSetEnv":         testConcurrentSetEnv,
		"ConcurrentPut":            testConcurrentPut,
		"ListPages":                testListPages,
		"ListRefusesInvalidPages":  testListRefusesInvalidPages,
		"ListOrder":                testListOrder,
		"SearchByNamespace":        testSearchByNamespace,
		"SearchByID":               testSearchByID,
		"Namespaces":               testNamespaces,
		"NamespaceLimits":          testNamespaceLimits,
		"NamespaceNamesOfAnyKind":  testNamespaceNamesOfAnyKind,
		"SettingsOfAFunction":      testSettingsOfAFunction,
		"WatchSeesEveryWrite":      testWatchSeesEveryWrite,
		"WatchEndsWithItsContext":  testWatchEndsWithItsContext,
		"LogIsReadInOrder":         testLogIsReadInOrder,
		"LogIsReadUpToSoManyBytes": testLogIsReadUpToSoManyBytes,
		"LogLinesAreKeptWhole":     testLogLinesAreKeptWhole,
		"LogIsReadFromAPlaceOn":    testLogIsReadFromAPlaceOn,
		"LogIsBounded":             testLogIsBounded,
		"LogsAreApart":             testLogsAreApart,
		"LogsAreBoundedTogether":   testLogsAreBoundedTogether,
		"NewestLinesAreKept":       testNewestLinesAreKept,
		"OwnersShareTheirLogs":     testOwnersShareTheirLogs,
		"LogGoesWithItsFunction":   testLogGoesWithItsFunction,
		"LogGoesWithItsNamespace":  testLogGoesWithItsNamespace,
		"LogHidesFromLists":        testLogHidesFromLists,
		"AwaitLogSeesWhatComes":    testAwaitLogSeesWhatComes,
		"AwaitLogGivesUp":          testAwaitLogGivesUp,
		"AwaitLogEndsWithContext":  testAwaitLogEndsWithContext,
		"AwaitLogEndsWithTheStore": testAwaitLogEndsWithTheStore,
		"EndedContext":             testEndedContext,
		"ClosedStoreIsUnavailable": testClosedStoreIsUnavailable,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, s)
		})
	}
}
