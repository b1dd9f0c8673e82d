package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/fleetproof/fleetproof/producer/sarama"
)

type versionCommand struct{}

func (versionCommand) execute(w world) (int, error) {
	known := versions()
	_, err := fmt.Fprintf(w.stdout, "fleetproof %s\n%s %s\ngo %s\n",
		known["fleetproof"], sarama.Name, known[sarama.Name], strings.TrimPrefix(runtime.Version(), "go"))
	if err != nil {
		return exitEnvironment, fmt.Errorf("write versions: %w", err)
	}
	return exitPass, nil
}

// versions are those of this program and of the client under test.
func versions() map[string]string {
	info, _ := debug.ReadBuildInfo()
	return map[string]string{"fleetproof": versionOf(info), sarama.Name: sarama.Version()}
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
