// Package storetest checks that a silentrefresh.Store keeps its promises, so that a store of your own can be
// trusted with credentials that work only once.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Store { return mystore.New(t.TempDir()) })
//	}
//
// Each promise is a subtest with a name of its own. Run the suite under the race detector too. Suite has more
// to check where a store can be opened twice, or can lose a lock. Where it has the method WhenFree, which it need not
// have, what that promises is checked as well, and else these subtests are skipped.
package storetest

import (
	"context"
	"testing"
)

// Store is silentrefresh.Store, spelled out so that a store can be tested without importing its package.
type Store interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error
}

// Run checks the promises that any store can be held to. It is Suite{Open: open}.Run(t).
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	Suite{Open: open}.Run(t)
}

// Suite says how to get at a store, and what more it can be asked for. Only Open is required.
type Suite struct {
	// Open returns a store without any record. It is called once for each promise, and cleans up with
	// t.Cleanup.
	Open func(t *testing.T) Store
	// Again returns another handle on the records of s, as another process would have it.
	Again func(t *testing.T, s Store) Store
	// Lose makes s lose key's lock, which it holds, the way it could happen in the field: it expires, or the
	// connection breaks. The handle that Again returns, or s if Again is nil, can take the lock afterwards.
	Lose func(t *testing.T, s Store, key string)
}

// Run checks every promise in a subtest named after it.
func (suite Suite) Run(t *testing.T) {
	t.Helper()
	for _, p := range suite.promises() {
		t.Run(p.name, p.check)
	}
}

// promise is one subtest.
type promise struct {
	name  string
	check func(t *testing.T)
}

func (suite Suite) promises() []promise {
	var all []promise
	for _, p := range always {
		all = append(all, promise{p.name, func(t *testing.T) { p.check(t, suite.Open(t)) }})
	}
	if suite.Again != nil {
		for _, p := range twice {
			all = append(all, promise{"Again/" + p.name, func(t *testing.T) {
				s := suite.Open(t)
				p.check(t, s, suite.Again(t, s))
			}})
		}
	}
	if suite.Lose != nil {
		all = append(all,
			promise{"Lose/ContextOfFnEnds", suite.contextEnds},
			promise{"Lose/SaveOverAnothersIsConflict", func(t *testing.T) { suite.conflict(t, []byte("first")) }},
			promise{"Lose/FirstSaveOverAnothersIsConflict", func(t *testing.T) { suite.conflict(t, nil) }})
	}
	return all
}

// always are the promises of any store.
var always = []struct {
	name  string
	check func(t *testing.T, s Store)
}{
	{"LoadOfNothingIsNil", loadOfNothing},
	{"LoadReturnsWhatWasSaved", loadOfValue},
	{"TombstoneIsEmptyNotNil", tombstone},
	{"LoadWaitsForNoLock", loadWaitsForNoLock},
	{"LoadRefusesEndedContext", loadRefusesEndedContext},
	{"UpdateOfNothingSeesNil", updateOfNothing},
	{"UpdateSeesWhatLoadReturns", updateSeesOld},
	{"UpdateWithoutSaveChangesNothing", updateWithoutSave},
	{"UpdateExcludesOthers", func(t *testing.T, s Store) { excludes(t, s, s) }},
	{"UpdateLetsOtherKeysGoOn", otherKeysGoOn},
	{"UpdateRefusesEndedContext", updateRefusesEndedContext},
	{"WaitingEndsWithContext", func(t *testing.T, s Store) { waitingEnds(t, s, s) }},
	{"WaiterGetsLockWhenFree", waiterGetsLock},
	{"ContextOfFnEndsWithCaller", fnContextEnds},
	{"SaveIsSeenAtOnce", saveIsSeenAtOnce},
	{"EachSaveCounts", eachSaveCounts},
	{"SaveOutlivesContext", saveOutlivesContext},
	{"SaveAfterUpdateIsRefused", saveAfterUpdate},
	{"ErrorOfFnIsReturnedAsItIs", errorAsItIs},
	{"SavesBeforeErrorStay", savesBeforeErrorStay},
	{"PanicReleasesLock", panicReleases},
	{"GoexitReleasesLock", goexitReleases},
	{"SizesUpToOneMegabyte", sizes},
	{"AnyBytes", anyBytes},
	{"AnyKey", anyKey},
	{"SlicesAreCopies", slicesAreCopies},
	{"ManyAtOnce", func(t *testing.T, s Store) { count(t, s, s) }},
	{"WhenFree/WakesEach", func(t *testing.T, s Store) { wakes(wakesEach)(t, s, s) }},
	{"WhenFree/NeverTwiceAtATime", func(t *testing.T, s Store) { wakes(neverTwiceAtATime)(t, s, s) }},
	{"WhenFree/ForgetEnds", func(t *testing.T, s Store) { wakes(forgetEnds)(t, s, s) }},
}

// twice are what two handles on the same records owe each other.
var twice = []struct {
	name  string
	check func(t *testing.T, a, b Store)
}{
	{"SeesSaves", seesSaves},
	{"UpdateExcludesOthers", excludes},
	{"WaitingEndsWithContext", waitingEnds},
	{"ManyAtOnce", count},
	{"WhenFree/WakesEach", wakes(wakesEach)},
	{"WhenFree/NeverTwiceAtATime", wakes(neverTwiceAtATime)},
	{"WhenFree/ForgetEnds", wakes(forgetEnds)},
}
