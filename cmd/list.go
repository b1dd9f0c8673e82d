package cmd

import (
	"fmt"
	"strings"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
)

// nameWidth is the column of names in lists.
const nameWidth = 24

type listCommand struct{}

// execute lists the shipped scenarios by the names under which run, plan and validate find them.
func (listCommand) execute(w world) (int, error) {
	var text strings.Builder
	for _, name := range harness.Shipped() {
		scenario, err := harness.Load(name, harness.Overrides{Env: w.env})
		if err != nil {
			return exitEnvironment, fmt.Errorf("list: %w", err)
		}
		for _, line := range report.Wrap(scenario.Description, width-nameWidth-2) {
			fmt.Fprintf(&text, "%-*s  %s\n", nameWidth, name, line)
			name = "" // the first line has it
		}
	}
	return w.print(text.String())
}
