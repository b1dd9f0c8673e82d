package broker

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKfakeVersion(t *testing.T) {
	build := &debug.BuildInfo{Deps: []*debug.Module{
		{Path: "github.com/twmb/franz-go", Version: "v1.22.2"},
		{Path: "github.com/twmb/franz-go/pkg/kfake", Version: "v0.0.0-20260918054303-01f206a7e32c"},
	}}
	assert.Equal(t, "kfake v0.0.0-20260918054303-01f206a7e32c", kfakeVersion(build))
	assert.Equal(t, "kfake of an unknown version", kfakeVersion(nil))
	assert.Equal(t, "kfake of an unknown version", kfakeVersion(&debug.BuildInfo{}))
}
