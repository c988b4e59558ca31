package sim

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse makes a Campaign of a command line. Asked for help, it prints that and returns flag.ErrHelp.
func Parse(args []string) (*Campaign, error) {
	c := &Campaign{Out: os.Stdout}
	flags := flag.NewFlagSet("simulation", flag.ContinueOnError)
	flags.IntVar(&c.Seeds, "seeds", 1000, "how many seeds to run")
	seed := flags.Int64("seed", -1, "run this seed alone, and shrink it if it fails")
	flags.Uint64Var(&c.First, "start", 0, "the first seed; 0: with -for, a new one")
	duration := flags.Duration("for", 0, "run as many seeds as fit in this time")
	keep := flags.String("keep", "", "with -seed: only the steps of these indexes, as a failure prints them")
	flags.DurationVar(&c.Gap, "gap", 0, "with -seed: at most so long between two steps, as a failure prints it")
	flags.StringVar(&c.Store, "store", "mixed", "whether there is a Store: with, without or mixed; or database: one whose database may be away")
	flags.BoolVar(&c.JSON, "json", false, "end with a summary in JSON")
	flags.BoolVar(&c.Verbose, "v", false, "print every step and the whole history of a failure, or of -seed")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case *seed >= 0:
		c.First, c.Seeds = uint64(*seed), 1
	case *duration > 0:
		c.Seeds, c.Until = 1<<62, time.Now().Add(*duration)
		if c.First == 0 {
			c.First = uint64(time.Now().UnixNano()) % 1e9 * 1e3
		}
	}
	return c, c.set(*keep)
}

// set checks -store, and reads the list of -keep.
func (c *Campaign) set(keep string) error {
	if !slices.Contains([]string{"with", "without", "mixed", "database"}, c.Store) {
		return fmt.Errorf("-store is with, without, mixed or database, not %q", c.Store)
	}
	for index := range strings.FieldsFuncSeq(keep, func(r rune) bool { return r == ',' }) {
		i, err := strconv.Atoi(index)
		if err != nil {
			return fmt.Errorf("-keep: %w", err)
		}
		c.Keep = append(c.Keep, i)
	}
	return nil
}
