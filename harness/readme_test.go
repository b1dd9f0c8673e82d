package harness

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Every YAML block of the README is a whole scenario, so that whoever copies one has something that runs.
func TestReadmeScenariosLoad(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := yamlBlock.FindAllSubmatch(text, -1)
	require.NotEmpty(t, blocks)
	for i, block := range blocks {
		_, err := Parse(fmt.Sprintf("README.md, block %d", i+1), block[1], Overrides{})
		assert.NoError(t, err)
	}
}
