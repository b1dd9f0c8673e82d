package cmd

import (
	"slices"

	"github.com/fleetproof/fleetproof/assertions"
)

// The exit codes.
const (
	exitPass         = 0
	exitFail         = 1
	exitMistake      = 2 // the scenario or the command line is wrong; nothing was started
	exitInconclusive = 3
	exitEnvironment  = 4 // broker, disk, a fault that could not be healed, or a run that went wrong in itself
	exitInterrupted  = 130
)

// exitOf is the exit code of a verdict.
func exitOf(verdict assertions.Verdict) int {
	switch verdict {
	case assertions.Pass:
		return exitPass
	case assertions.Inconclusive:
		return exitInconclusive
	case assertions.Fail:
		return exitFail
	default:
		return exitEnvironment
	}
}

// worse is the more severe of two exit codes of runs.
func worse(a, b int) int {
	severity := []int{exitPass, exitInconclusive, exitFail, exitEnvironment, exitInterrupted}
	if slices.Index(severity, b) > slices.Index(severity, a) {
		return b
	}
	return a
}
