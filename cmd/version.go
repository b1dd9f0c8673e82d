package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

type versionCommand struct{}

// execute shows the versions of this program, of the clients it can put under test, and of Go.
func (versionCommand) execute(w world) (int, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "fleetproof %s\n", version())
	for _, kind := range w.kinds {
		fmt.Fprintf(&text, "%s %s\n", kind.Name, kind.Version)
	}
	fmt.Fprintf(&text, "go %s\n", strings.TrimPrefix(runtime.Version(), "go"))
	return w.print(text.String())
}

// version is that of this program.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

// versionOf is a release's version, or dev and the revision it was built from, as far as the build tells: go run tells
// none.
func versionOf(info *debug.BuildInfo) string {
	if info == nil {
		return "dev"
	}
	if version := info.Main.Version; version != "" && version != "(devel)" {
		return version
	}
	version := "dev"
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			version += "-" + setting.Value[:12]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			version += "+dirty"
		}
	}
	return version
}
