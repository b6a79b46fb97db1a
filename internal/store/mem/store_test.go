package mem_test

import (
	"testing"

	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/internal/store/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store {
		s := mem.New()
		s.OwnerSeparator = storetest.OwnerSeparator
		s.Limits.Routes, s.Limits.Keys = storetest.MaxRoutes, storetest.MaxKeys
		s.Limits.Modules, s.Limits.Secrets = storetest.MaxModules, storetest.MaxSecrets
		s.Limits.Public, s.Limits.Namespaces = storetest.MaxPublic, storetest.MaxNamespaces
		return s
	})
}
