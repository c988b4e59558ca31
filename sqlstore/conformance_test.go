package sqlstore

import (
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/storetest"
)

func TestStoretest(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { conform(t, newSQLite) })
	t.Run("postgres", func(t *testing.T) { conform(t, newPostgres) })
}

func conform(t *testing.T, open func(testing.TB) *base) {
	bases := map[storetest.Store]*base{}
	storetest.Suite{
		Open: func(t *testing.T) storetest.Store {
			e := open(t)
			e.lease = 3 * time.Second // a busy machine can keep it
			s := e.store()
			bases[s] = e
			return s
		},
		Again: func(t *testing.T, s storetest.Store) storetest.Store { return bases[s].store() },
		Lose:  func(t *testing.T, s storetest.Store, key string) { s.(*Store).drop(t, key) },
	}.Run(t)
}
