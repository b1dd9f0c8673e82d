package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness"
)

// resolved is a scenario of a name, as far as folders care.
func resolved(name, file string) *harness.Resolved {
	return &harness.Resolved{Scenario: harness.Scenario{Name: name}, File: file}
}

// put writes a file into a folder that may not exist yet.
func put(t *testing.T, folder, name string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	file := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o644))
	return file
}

// names are what is in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	found := []string{}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func TestFoldersAreMade(t *testing.T) {
	out := filepath.Join(t.TempDir(), "deep", "down")
	made, code, err := prepareFolders(out, []*harness.Resolved{resolved("a", "a.yaml")})
	require.NoError(t, err)
	assert.Equal(t, exitPass, code)
	assert.Equal(t, out, made.of(0), "a single run goes where it was asked to go")
	assert.Empty(t, names(t, out))

	made, _, err = prepareFolders(out, []*harness.Resolved{resolved("a", "a.yaml"), resolved("b", "b.yaml")})
	require.NoError(t, err)
	assert.Equal(t, folders{filepath.Join(out, "a"), filepath.Join(out, "b")}, made)

	made, _, err = prepareFolders("", []*harness.Resolved{resolved("a", "a.yaml")})
	require.NoError(t, err)
	assert.Empty(t, made.of(0))
}

func TestAnEarlierRunIsReplacedAndNothingElse(t *testing.T) {
	out := t.TempDir()
	for _, name := range []string{"evidence.json", "result.json", "junit.xml", "scenario.yaml", "notes.txt"} {
		put(t, out, name)
	}
	_, _, err := prepareFolders(out, []*harness.Resolved{resolved("a", "a.yaml")})
	require.NoError(t, err)
	assert.Equal(t, []string{"notes.txt"}, names(t, out), "no old verdict is left for a run that breaks")
}

func TestFoldersThatAreRefused(t *testing.T) {
	t.Run("a file that belongs to no run", func(t *testing.T) {
		out := t.TempDir()
		mine := put(t, out, "scenario.yaml")
		_, code, err := prepareFolders(out, []*harness.Resolved{resolved("a", "a.yaml")})
		require.EqualError(t, err, "--out: "+mine+" is there already and belongs to no run, which has an evidence.json: choose another folder")
		assert.Equal(t, exitMistake, code)
		assert.FileExists(t, mine)
	})
	t.Run("the scenario to be played", func(t *testing.T) {
		out := t.TempDir()
		put(t, out, "evidence.json")
		played := put(t, out, "scenario.yaml")
		_, code, err := prepareFolders(out, []*harness.Resolved{resolved("a", played)})
		require.EqualError(t, err, "--out: "+out+" would replace the scenario that is to be played: choose another folder")
		assert.Equal(t, exitMistake, code)
		assert.FileExists(t, played)
	})
	t.Run("two scenarios of one name", func(t *testing.T) {
		_, code, err := prepareFolders("out", []*harness.Resolved{resolved("a", "x.yaml"), resolved("a", "y.yaml")})
		require.EqualError(t, err, "--out: x.yaml and y.yaml are both named a and would share a folder")
		assert.Equal(t, exitMistake, code)
	})
	t.Run("a file where the folder would be", func(t *testing.T) {
		file := put(t, t.TempDir(), "file")
		_, code, err := prepareFolders(file, []*harness.Resolved{resolved("a", "x.yaml")})
		require.ErrorContains(t, err, "--out: mkdir "+file)
		assert.Equal(t, exitEnvironment, code)
	})
	t.Run("one that cannot be written", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("nothing is forbidden to root")
		}
		out := t.TempDir()
		require.NoError(t, os.Chmod(out, 0o555))
		_, code, err := prepareFolders(out, []*harness.Resolved{resolved("a", "x.yaml")})
		require.ErrorContains(t, err, "permission denied")
		assert.Equal(t, exitEnvironment, code)
	})
}
