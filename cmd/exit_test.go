package cmd

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/assertions"
)

func TestExitCodesFollowSeverity(t *testing.T) {
	ascending := []int{exitPass, exitInconclusive, exitFail, exitEnvironment, exitInterrupted}
	for i, a := range ascending {
		for j, b := range ascending {
			assert.Equal(t, ascending[max(i, j)], worse(a, b), "%d and %d", a, b)
		}
	}
}

func TestVerdictsExitAsTheLanguageSays(t *testing.T) {
	for verdict, want := range map[assertions.Verdict]int{
		assertions.Pass: 0, assertions.Fail: 1, assertions.Inconclusive: 3, assertions.Error: 4,
	} {
		assert.Equal(t, want, exitOf(verdict), verdict.String())
	}
}
