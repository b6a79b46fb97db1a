package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// List returns a page of the functions, or function.ErrInvalidPage. It passes over every match to count them.
func (s *Store) List(ctx context.Context, q function.Query) (page *function.Page, err error) {
	err = s.view(ctx, "list", func(tx *bbolt.Tx) error {
		start, end, err := q.Bounds()
		if err != nil {
			return err
		}
		page = &function.Page{}
		return eachMatch(tx, q, func(ns, id []byte) {
			if start <= page.Total && page.Total < end {
				page.Items = append(page.Items, refOf(ns, id))
			}
			page.Total++
		})
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// eachMatch calls found for each function that q selects, in order, with its bucket's name and its ID.
func eachMatch(tx *bbolt.Tx, q function.Query, found func(ns, id []byte)) error {
	all := tx.Bucket(functionsBucket)
	ofNamespace := func(ns []byte) error {
		return all.Bucket(ns).ForEach(func(id, _ []byte) error {
			found(ns, id)
			return nil
		})
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
		found(ns, []byte(q.ID))
	}
	return nil
}
