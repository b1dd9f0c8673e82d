package cmd

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVersionOf(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "dev"},
		{build(""), "dev"},
		{build("(devel)"), "dev"},
		{build("v1.2.3"), "v1.2.3"},
		{build("(devel)", revision), "dev-0123456789ab"},
		{build("(devel)", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "dev-0123456789ab+dirty"},
		{build("(devel)", revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "dev-0123456789ab"},
		{build("v1.2.3", revision), "v1.2.3"},
	} {
		assert.Equal(t, c.want, versionOf(c.info))
	}
}
