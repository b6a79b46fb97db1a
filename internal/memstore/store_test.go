package memstore_test

import (
	"testing"

	"github.com/backstage/functions/internal/memstore"
	"github.com/backstage/functions/internal/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store {
		s := memstore.New()
		s.OwnerSeparator = storetest.OwnerSeparator
		return s
	})
}
