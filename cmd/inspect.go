package cmd

import (
	"fmt"
	"strings"
)

type planCommand struct {
	File string `arg:"" help:"Scenario file, or the name of a shipped scenario."`
	overrides
}

func (c planCommand) execute(w world) (int, error) {
	scenario, err := c.load(c.File, w)
	if err != nil {
		return exitMistake, err
	}
	if err := scenario.WritePlan(w.stdout); err != nil {
		return exitEnvironment, fmt.Errorf("write plan: %w", err)
	}
	return exitPass, nil
}

type validateCommand struct {
	Files []string `arg:"" name:"file" help:"Scenario files, or names of shipped scenarios."`
	overrides
}

// execute names the files that are free of mistakes on standard output, and every mistake of the others on standard
// error.
func (c validateCommand) execute(w world) (int, error) {
	scenarios, err := c.loadAll(c.Files, w)
	var right strings.Builder
	for _, scenario := range scenarios {
		fmt.Fprintf(&right, "%s: ok\n", scenario.File)
	}
	code, failed := w.print(right.String())
	if err != nil {
		return exitMistake, err
	}
	return code, failed
}
