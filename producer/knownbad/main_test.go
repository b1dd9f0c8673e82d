package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/harness"
)

const calm = `
version: 1
name: calm
description: Nothing happens.
broker: {kind: embedded}
fleets:
  - {name: climate, devices: 10, interval: 100ms, sensors: [temperature]}
load:
  stages:
    - {name: hold, for: 1s, rate: 1x}
`

// asCommand is the variable that turns the test's binary into the command.
const asCommand = "KNOWNBAD_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// play runs the command on the calm scenario.
func play(t *testing.T, args ...string) (code int, stdout, stderr string) {
	file := filepath.Join(t.TempDir(), "calm.yaml")
	require.NoError(t, os.WriteFile(file, []byte(calm), 0o644))
	command := exec.Command(os.Args[0], append([]string{"run", file}, args...)...)
	command.Env = append(os.Environ(), asCommand+"=1")
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "%v", err)
		code = exit.ExitCode()
	}
	return code, out.String(), complaints.String()
}

func TestPlaysTheOldVersion(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "calm")
	code, stdout, stderr := play(t, "--out", folder)
	assert.Equal(t, 0, code, "%s%s", stdout, stderr)
	assert.Contains(t, stdout, "PASS  calm")
	assert.Contains(t, stdout, " · sarama v1.47.0 · ", "what this module is for")

	evidence, err := harness.ReadEvidence(folder)
	require.NoError(t, err)
	assert.Equal(t, "v1.47.0", evidence.Run.Versions["sarama"])
	again, err := assertions.Judge(evidence, evidence.Expectations)
	require.NoError(t, err)
	assert.Equal(t, assertions.Pass, again.Verdict)
}

func TestSaysWhatTheOldVersionHasNot(t *testing.T) {
	code, _, stderr := play(t, "--set", "producer.partitioner=murmur2")
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, `partitioner: v1.47.0 has no "murmur2"`)
}
