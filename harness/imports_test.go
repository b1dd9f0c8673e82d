package harness

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/fleetproof/fleetproof"

// architecture says who may import whom: data goes down, imports go up. A package that is not listed may not exist; what
// is not listed behind it may not be imported, but for the standard library.
var architecture = map[string][]string{
	"generator":         {},
	"producer":          {},
	"assertions":        {"github.com/HdrHistogram/hdrhistogram-go"},
	"scenarios":         {},
	"producer/inflight": {"producer"},
	"producer/sarama":   {"producer", "producer/inflight", "github.com/IBM/sarama"},
	"producer/franz":    {"producer", "producer/inflight", "github.com/twmb/franz-go"},
	"harness/broker": {
		"generator", "producer", "github.com/twmb/franz-go", "github.com/testcontainers/testcontainers-go", "github.com/moby/moby",
		"github.com/containerd/errdefs", "github.com/shirou/gopsutil/v4", "golang.org/x/sync",
	},
	"harness/fault":     {"harness/broker", "github.com/twmb/franz-go"},
	"harness/reread":    {"github.com/IBM/sarama"},
	"harness/telemetry": {"github.com/prometheus/client_golang", "github.com/twmb/franz-go"},
	"harness/report":    {"assertions"},
	"harness/fleettest": {
		"assertions", "features", "producer", "producer/sarama", "producer/franz", "harness", "harness/broker", "harness/fault",
		"harness/fleettest/dockertest", "harness/report", "github.com/cucumber/godog", "github.com/twmb/franz-go",
	},
	"harness/fleettest/dockertest": {"github.com/moby/moby", "github.com/stretchr/testify"},
	"harness": {
		"assertions", "generator", "producer", "scenarios", "harness/broker", "harness/fault", "harness/reread", "harness/telemetry",
		"github.com/twmb/franz-go", "github.com/shirou/gopsutil/v4", "golang.org/x/sync", "gopkg.in/yaml.v3",
	},
	"features": {"assertions", "harness", "harness/report", "producer", "github.com/cucumber/godog", "github.com/cucumber/messages/go/v21"},
	"cmd": {
		"assertions", "harness", "harness/fault", "harness/report", "harness/telemetry", "producer", "scenarios",
		"github.com/alecthomas/kong", "golang.org/x/term",
	},
	"cmd/fleetproof": {"cmd", "producer/franz", "producer/sarama"},
}

// onlyIn are the packages and files that alone may import something, for the reason given.
var onlyIn = map[string]struct{ place, reason string }{
	"github.com/IBM/sarama": {"producer/sarama harness/reread", "a client under test is known to its adapter alone, and to the reader of another library"},
	"gopkg.in/yaml.v3":      {"harness/yaml.go", "YAML is decoded in one file"},
}

func TestImports(t *testing.T) {
	checked := map[string]bool{}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && file != "."):
			return fs.SkipDir
		case entry.IsDir() && file != "." && isModule(filepath.Join(root, file)):
			return fs.SkipDir // what it requires is its own business, and reaches nobody here
		case entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		checked[path.Dir(file)] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			checkImport(t, file, imported)
		}
		return nil
	}))
	for folder := range architecture {
		assert.True(t, checked[folder], "%s is in the table and not in the tree", folder)
	}
}

// isModule says whether a folder is the root of a Go module.
func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

func checkImport(t *testing.T, file, imported string) {
	t.Helper()
	folder := path.Dir(file)
	allowed, known := architecture[folder]
	if !assert.True(t, known, "%s: package %s is not in the table of the architecture", file, folder) {
		return
	}
	if !strings.HasPrefix(folder, "harness/fleettest") {
		assert.NotEqual(t, "testing", imported, "%s: the engine runs outside go test too", file)
	}
	if rule, bound := onlyIn[imported]; bound {
		places := strings.Fields(rule.place)
		assert.True(t, slices.Contains(places, folder) || slices.Contains(places, file), "%s imports %s: %s", file, imported, rule.reason)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return // the standard library
	}
	name, inside := strings.CutPrefix(imported, module+"/")
	assert.True(t, slices.ContainsFunc(allowed, func(entry string) bool {
		return inside && name == entry || !inside && (imported == entry || strings.HasPrefix(imported, entry+"/"))
	}), "%s may not import %s", file, imported)
}
