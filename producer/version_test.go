package producer

import (
	"os"
	"regexp"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersionIn(t *testing.T) {
	other := &debug.Module{Path: "example.com/other", Version: "v9.9.9"}
	used := &debug.Module{Path: "example.com/used", Version: "v1.22.2"}
	info := &debug.BuildInfo{Deps: []*debug.Module{other, used}}
	assert.Equal(t, "v1.22.2", versionIn(info, "example.com/used"))
	assert.Empty(t, versionIn(info, "example.com/use"))
	assert.Empty(t, versionIn(nil, "example.com/used"))

	used.Replace = &debug.Module{Path: "example.com/mine", Version: "v1.0.0"}
	assert.Equal(t, "v1.0.0", versionIn(info, "example.com/used"))
}

// A test's program does not list its modules; the report of a test says what was tested all the same.
func TestModuleVersionOfATest(t *testing.T) {
	file, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	want := regexp.MustCompile(`github.com/IBM/sarama (v\S+)`).FindSubmatch(file)
	require.NotNil(t, want)
	assert.Equal(t, string(want[1]), ModuleVersion("github.com/IBM/sarama"))
	assert.Equal(t, "unknown", ModuleVersion("example.com/nowhere"))
}
