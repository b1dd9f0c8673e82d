package features

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness"
)

var gherkinBlock = regexp.MustCompile("(?s)```gherkin\n(.*?)```")

// TestReadmeFeaturesAreRight reads every feature of the README as it stands there: whoever copies one has something that
// runs.
func TestReadmeFeaturesAreRight(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := gherkinBlock.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		_, err := read(t, files(block[1])).draft.Resolve(harness.Overrides{})
		assert.NoError(t, err, block[1])
	}
}
