package storetest_test

import (
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/storetest"
)

// In the tests of a store of your own, this is a whole one.
func Example() {
	TestStore := func(t *testing.T) {
		storetest.Suite{
			Open:  func(*testing.T) storetest.Store { return new(silentrefresh.MemoryStore) },
			Again: func(_ *testing.T, s storetest.Store) storetest.Store { return s },
		}.Run(t)
	}
	_ = TestStore
}
