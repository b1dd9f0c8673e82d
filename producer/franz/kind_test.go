package franz

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKind(t *testing.T) {
	kind := Kind()
	assert.Equal(t, "franz", kind.Name)
	assert.Regexp(t, `^(v\d+\.\d+\.\d+.*|unknown)$`, kind.Version)
	assert.NotNil(t, kind.New)

	used := &debug.Module{Path: "github.com/twmb/franz-go", Version: "v1.22.2"}
	other := &debug.Module{Path: "github.com/IBM/sarama", Version: "v1.61.1"}
	assert.Equal(t, "v1.22.2", versionIn(&debug.BuildInfo{Deps: []*debug.Module{other, used}}))
	assert.Equal(t, "unknown", versionIn(&debug.BuildInfo{Deps: []*debug.Module{other}}))
	used.Replace = &debug.Module{Path: "github.com/twmb/franz-go", Version: "v1.0.0"}
	assert.Equal(t, "v1.0.0", versionIn(&debug.BuildInfo{Deps: []*debug.Module{used}}))
}
