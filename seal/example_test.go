package seal_test

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/silentrefresh/silentrefresh/seal"
)

// A key can come from anywhere: here, from a program that prints it.
func ExampleKey() {
	vault := seal.Key{
		Source: "the vault",
		Get: func(ctx context.Context, create bool) ([]byte, error) {
			out, err := exec.CommandContext(ctx, "vault", "read", "-field=key", "secret/myapp").Output()
			if err != nil {
				return nil, fmt.Errorf("%w: %w", seal.ErrUnavailable, err)
			}
			return seal.ParseKey(string(out))
		},
	}
	fmt.Println("the key in " + vault.Source)
	// Output: the key in the vault
}
