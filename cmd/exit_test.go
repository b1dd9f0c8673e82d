package cmd

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
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

// full is a device without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range [][]string{
		{"--help"}, {"run", "--help"}, {"list"}, {"explain"}, {"explain", "kill"}, {"validate", "quickstart"}, {"plan", "quickstart"}, {"version"},
	} {
		var complaint bytes.Buffer
		code := execute(args, world{
			stdout: full{}, stderr: &complaint, env: func(string) (string, bool) { return "", false },
			kinds: []producer.Kind{{Name: "sarama"}},
		})
		assert.Equal(t, exitEnvironment, code, args)
		assert.Contains(t, complaint.String(), "no space left on device", args)
	}
}
