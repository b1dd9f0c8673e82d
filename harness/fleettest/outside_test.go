package fleettest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outside runs the tests of a module that is not this one, as its owner would.
func outside(t *testing.T, environment string, arguments ...string) (output string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"test", "-count=1"}, arguments...)...)
	command.Dir = filepath.Join("..", "..", "testdata", "outside")
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "GOPROXY=off", environment)
	text, err := command.CombinedOutput()
	return string(text), err
}

// TestOutside: what somebody else needs is public, and his scenarios and his producer pass.
func TestOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what builds another module")
	}
	output, err := outside(t, "PLANT_BROKEN=")
	require.NoError(t, err, output)
}

// TestOutsideFails: a scenario that does not pass fails go test, and says what, where and where the rest is, which is kept.
func TestOutsideFails(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what builds another module")
	}
	output, err := outside(t, "PLANT_BROKEN=1", "-v", "-run", "TestBroken")
	require.Error(t, err, output)
	assert.Contains(t, output, "--- FAIL: TestBroken/acked_==_7")
	assert.Contains(t, output, "--- PASS: TestBroken/acked_lost_==_0")
	assert.Contains(t, output, "broken/broken.yaml:11: acked == 7: FAIL: got 400, limit 7, from 400 samples")
	place := regexp.MustCompile(`the artefacts of this run are in (\S+)`).FindStringSubmatch(output)
	require.NotNil(t, place, output)
	for _, name := range []string{"result.json", "junit.xml", "evidence.json", "scenario.yaml"} {
		assert.FileExists(t, filepath.Join(place[1], name))
	}
	require.NoError(t, os.RemoveAll(place[1]))
}
