package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBadScenarios holds the mistakes of each bad scenario, word for word, against what its file states. A file has a
// scenario, what the command line adds to it (sections set and expect, one a line), and the mistakes.
func TestBadScenarios(t *testing.T) {
	files, err := filepath.Glob("../testdata/scenarios/bad/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(files), 15)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			sections := map[string]string{}
			for _, section := range archive.Files {
				sections[section.Name] = string(section.Data)
			}
			_, err = Parse("bad.yaml", []byte(sections["scenario.yaml"]), Overrides{
				Set: lines(sections["set"]), Expect: lines(sections["expect"]),
			})
			require.Error(t, err)
			if os.Getenv("FLEETPROOF_UPDATE") != "" {
				archive.Files[len(archive.Files)-1].Data = []byte(err.Error() + "\n")
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
				return
			}
			assert.Equal(t, sections["mistakes"], err.Error()+"\n")
		})
	}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
