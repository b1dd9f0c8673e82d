package producer

import (
	"context"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// ModuleVersion is the version of a Go module in this program, such as v1.61.1, and of the one it was replaced by, if it was.
// It is "unknown" where nothing tells. Clients' Kinds say with it what was put under test.
func ModuleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	if version := versionIn(info, path); version != "" {
		return version
	}
	if version := tested()[path]; version != "" && info != nil && strings.HasSuffix(info.Path, ".test") {
		return version
	}
	return "unknown"
}

// versionIn is the version of a module in a program, empty where the program does not list it.
func versionIn(info *debug.BuildInfo, path string) string {
	if info == nil {
		return ""
	}
	for _, module := range info.Deps {
		switch {
		case module.Path != path:
		case module.Replace != nil:
			return module.Replace.Version
		default:
			return module.Version
		}
	}
	return ""
}

// tested are the versions of the modules around a test, by path. A test's program does not list them, but it runs in its
// package's folder, with the go command at hand that has built it; without both nothing is known.
var tested = sync.OnceValue(func() map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	list, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{with .Replace}}{{.Version}}{{else}}{{.Version}}{{end}}", "all").Output()
	if err != nil {
		return nil
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(list)) {
		if path, version, found := strings.Cut(strings.TrimSpace(line), " "); found {
			versions[path] = version
		}
	}
	return versions
})
