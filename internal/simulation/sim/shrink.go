package sim

// shrink finds a small part of a plan that still fails: it leaves out chunks of the steps, and keeps what fails
// without them, in ever smaller chunks (Zeller's ddmin). fails says whether the steps of these indexes do, and counts.
func shrink(steps int, most int, fails func([]int) bool) []int {
	kept := make([]int, steps)
	for i := range kept {
		kept[i] = i
	}
	for chunk := max(1, len(kept)/2); ; chunk = max(1, chunk/2) {
		smaller := false
		for from := 0; from < len(kept) && most > 0; {
			most--
			rest := append(append([]int{}, kept[:from]...), kept[min(from+chunk, len(kept)):]...)
			if fails(rest) {
				kept, smaller = rest, true
			} else {
				from += chunk
			}
		}
		if most <= 0 || chunk == 1 && !smaller {
			return kept
		}
	}
}
