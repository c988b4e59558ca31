package storetest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestGoodStore(t *testing.T) {
	Run(t, func(*testing.T) Store { return newMem("") })
	sound.Run(t)
}

// sound is the suite for a store with all there is to check, flawed the suite for one that breaks a promise.
var sound = flawed("")

func flawed(flaw string) Suite {
	return Suite{
		Open:  func(*testing.T) Store { return newMem(flaw) },
		Again: func(_ *testing.T, s Store) Store { return s.(*mem).again() },
		Lose:  func(_ *testing.T, s Store, key string) { s.(*mem).lose(key) },
	}
}

// flaws are ways to break promises, with a promise that has to catch each.
var flaws = map[string]string{
	"load gives an empty slice for nothing":  "LoadOfNothingIsNil",
	"load gives nil for a tombstone":         "TombstoneIsEmptyNotNil",
	"load takes the lock":                    "LoadWaitsForNoLock",
	"load ignores its context":               "LoadRefusesEndedContext",
	"load gives its own slice":               "SlicesAreCopies",
	"save keeps the caller's slice":          "SlicesAreCopies",
	"save needs a living context":            "SaveOutlivesContext",
	"save works for ever":                    "SaveAfterUpdateIsRefused",
	"save counts when update ends":           "SaveIsSeenAtOnce",
	"only the first save counts":             "EachSaveCounts",
	"only success counts":                    "SavesBeforeErrorStay",
	"save cuts at 64 KiB":                    "SizesUpToOneMegabyte",
	"save cuts at a zero byte":               "AnyBytes",
	"update does not lock":                   "UpdateExcludesOthers",
	"update locks everything":                "UpdateLetsOtherKeysGoOn",
	"update ignores its context":             "UpdateRefusesEndedContext",
	"update waits for ever":                  "WaitingEndsWithContext",
	"update shows fn another context":        "ContextOfFnEndsWithCaller",
	"update shows fn nothing":                "UpdateSeesWhatLoadReturns",
	"update wraps fn's error":                "ErrorOfFnIsReturnedAsItIs",
	"update saves of its own accord":         "UpdateWithoutSaveChangesNothing",
	"update leaves the lock after a panic":   "PanicReleasesLock",
	"update leaves the lock after a Goexit":  "GoexitReleasesLock",
	"keys are lower case":                    "AnyKey",
	"keys end at 255":                        "AnyKey",
	"handles see their own records":          "Again/SeesSaves",
	"handles have their own locks":           "Again/UpdateExcludesOthers",
	"loss is not noticed":                    "Lose/ContextOfFnEnds",
	"save overwrites after a loss":           "Lose/SaveOverAnothersIsConflict",
	"save of a new record after a loss wins": "Lose/FirstSaveOverAnothersIsConflict",
	"wakes nobody":                           "WhenFree/WakesEach",
	"wakes one":                              "WhenFree/WakesEach",
	"wakes when the lock is taken":           "WhenFree/WakesEach",
	"wakes twice at a time":                  "WhenFree/NeverTwiceAtATime",
	"forget does nothing":                    "WhenFree/ForgetEnds",
	"forget waits":                           "WhenFree/ForgetEnds",
	"handles wake only their own":            "Again/WhenFree/WakesEach",
}

const inChild = "STORETEST_FLAWED_STORES"

// TestFlawsAreFound runs the suite on broken stores, in a process of its own because it has to fail there.
func TestFlawsAreFound(t *testing.T) {
	if os.Getenv(inChild) != "" {
		t.Skip("this is the process with the broken stores")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFlawedStores$", "-test.v")
	cmd.Env = append(os.Environ(), inChild+"=1")
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); !failed {
		t.Fatalf("the suite passed on broken stores: %v", err)
	}
	for flaw, promise := range flaws {
		name := "TestFlawedStores/" + strings.ReplaceAll(flaw, " ", "_") + "/" + promise + " "
		if !strings.Contains(string(out), "--- FAIL: "+name) {
			t.Errorf("a store where %s was not caught by %s", flaw, promise)
		}
	}
	if !strings.Contains(string(out), "--- PASS: TestFlawedStores/none ") {
		t.Error("the store without a flaw did not pass beside them")
	}
	if t.Failed() {
		t.Logf("the other process said:\n%s", out)
	}
}

// TestFlawedStores is the other process of TestFlawsAreFound.
func TestFlawedStores(t *testing.T) {
	if os.Getenv(inChild) == "" {
		t.Skip("runs in a process of its own, started by TestFlawsAreFound")
	}
	t.Run("none", sound.Run)
	patience = 2 * time.Second
	for flaw, name := range flaws {
		for _, p := range flawed(flaw).promises() {
			if p.name == name {
				t.Run(flaw, func(t *testing.T) { t.Parallel(); t.Run(name, p.check) })
			}
		}
	}
}
