package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// listedBytes is how long a record is read in about the time in which a list passes over a function.
const listedBytes = 32

// List returns a page of the functions, or function.ErrInvalidPage. It passes over every match to count them.
func (s *Store) List(ctx context.Context, q function.Query) (page *function.Page, err error) {
	err = s.read(ctx, "list", q.Namespace, func(tx *bbolt.Tx, most int) error {
		start, end, err := q.Bounds()
		if err != nil {
			return err
		}
		page = &function.Page{}
		return eachMatch(tx, q, func(ns, id []byte) error {
			if page.Total*listedBytes > most {
				return errLarge
			}
			if start <= page.Total && page.Total < end {
				page.Items = append(page.Items, refOf(ns, id))
			}
			page.Total++
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// eachMatch calls found for each function that q selects, in order, with its bucket's name and its ID. It ends with
// the first error of found.
func eachMatch(tx *bbolt.Tx, q function.Query, found func(ns, id []byte) error) error {
	all := tx.Bucket(functionsBucket)
	ofNamespace := func(ns []byte) error {
		return all.Bucket(ns).ForEach(func(id, _ []byte) error { return found(ns, id) })
	}
	if q.Namespace == "" {
		return all.ForEachBucket(ofNamespace)
	}
	ns := namespaceKey(q.Namespace)
	b := all.Bucket(ns)
	switch {
	case b == nil:
	case q.ID == "":
		return ofNamespace(ns)
	case b.Get([]byte(q.ID)) != nil:
		return found(ns, []byte(q.ID))
	}
	return nil
}
