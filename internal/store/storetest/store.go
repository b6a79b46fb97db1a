// Package storetest is the contract of package store as a suite of tests, with a table for each aggregate.
package storetest

import (
	"testing"

	"github.com/backstage/functions/internal/store"
)

// Store is what is tested.
type Store = store.Store

// MaxRoutes is the most routes of stores that are tested.
const MaxRoutes = 8

// MaxKeys is the most keys of them, MaxPublic the most public functions.
const (
	MaxKeys   = 8
	MaxPublic = 8
	// MaxNamespaces is the most namespaces with limits.
	MaxNamespaces = 8
)

// MaxModules is the most modules of a namespace in stores that are tested.
const MaxModules = 4

// MaxSecrets is the most secrets of a namespace, and of a function, in stores that are tested.
const MaxSecrets = 4

// OwnerSeparator ends the name of an owner in that of a namespace, in stores that are tested.
const OwnerSeparator = "+"

// table has tests by name. Each gets an empty store.
type table map[string]func(*testing.T, Store)

// Run runs the suite. Open returns an empty store with OwnerSeparator and the limits above. The suite closes it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, tests := range []table{
		functionTests, sourceTests, listTests, envTests, namespaceTests, routeTests, keyTests, publicTests, limitTests,
		usageTests, keptTests, moduleTests, auditTests, secretTests, callTests, holdTests, shareTests, stepTests,
		callbackTests, giveUpTests, logTests, messageTests, lifecycleTests,
	} {
		tests.run(t, open)
	}
}

func (tests table) run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range tests {
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
