package cmd

import (
	"fmt"

	"github.com/fleetproof/fleetproof/harness"
)

// meant adds to an error about an unknown word which name was probably meant, if any is near.
func meant(err error, word string, names []string) error {
	if near := harness.Nearest(word, names); near != "" {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return err
}
