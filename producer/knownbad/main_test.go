package main

import (
	"bytes"
	"context"
	"os"
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

func play(t *testing.T, args ...string) (code int, stdout, stderr string) {
	file := filepath.Join(t.TempDir(), "calm.yaml")
	require.NoError(t, os.WriteFile(file, []byte(calm), 0o644))
	var out, complaints bytes.Buffer
	code = execute(context.Background(), nil, append(args, file), &out, &complaints)
	return code, out.String(), complaints.String()
}

func TestPlaysAndReports(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "calm")
	code, stdout, stderr := play(t, "--out", folder)
	assert.Equal(t, exitPass, code, "%s%s", stdout, stderr)
	assert.Contains(t, stdout, "PASS  calm")
	assert.Contains(t, stdout, "\nsarama v1.47.0 · ", "what this module is for")
	assert.Contains(t, stderr, "calm with sarama v1.47.0\n")

	evidence, err := harness.ReadEvidence(folder)
	require.NoError(t, err)
	again, err := assertions.Judge(evidence, evidence.Expectations)
	require.NoError(t, err)
	assert.Equal(t, assertions.Pass, again.Verdict)
	for _, name := range []string{"result.json", "scenario.yaml"} {
		assert.FileExists(t, filepath.Join(folder, name))
	}

	code, stdout, stderr = play(t, "--out", folder)
	assert.Equal(t, exitMistake, code)
	assert.Empty(t, stdout)
	assert.Equal(t, "knownbad: --out: "+folder+" is not empty: choose another folder\n", stderr)
}

func TestExitCodes(t *testing.T) {
	code, stdout, _ := play(t, "--json", "--expect", "acked > 1000000")
	assert.Equal(t, exitFail, code)
	assert.Contains(t, stdout, `"verdict": "FAIL"`)

	code, _, stderr := play(t, "--set", "producer.acks=2")
	assert.Equal(t, exitMistake, code)
	assert.Contains(t, stderr, "--set producer.acks=2")

	code, _, stderr = play(t, "--set", "producer.partitioner=murmur2")
	assert.Equal(t, exitEnvironment, code)
	assert.Contains(t, stderr, `partitioner: v1.47.0 has no "murmur2"`)

	code, _, stderr = play(t, "--unknown")
	assert.Equal(t, exitMistake, code)
	assert.Contains(t, stderr, "unknown flag --unknown")

	code, stdout, _ = play(t, "--help")
	assert.Equal(t, exitPass, code)
	assert.Contains(t, stdout, "Sarama v1.47.0")

	assert.Equal(t, exitInconclusive, exitOf(assertions.Inconclusive))
	assert.Equal(t, exitEnvironment, exitOf(assertions.Error))
}
