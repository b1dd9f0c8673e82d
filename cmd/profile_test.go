package cmd

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness"
)

// unzipped reads a profile, which is zipped.
func unzipped(t *testing.T, name string) string {
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	require.NoError(t, err, "no profile")
	bytes, err := io.ReadAll(zipped)
	require.NoError(t, err)
	return string(bytes)
}

func TestProfiles(t *testing.T) {
	cpu, heap := filepath.Join(t.TempDir(), "cpu"), filepath.Join(t.TempDir(), "heap")
	p, err := startProfiles(newFile(cpu), newFile(heap))
	require.NoError(t, err)
	for _, step := range []string{"starting broker", "load", "load"} {
		require.NoError(t, p.progress(harness.Progress{Step: step}))
		info, err := os.Stat(heap)
		require.NoError(t, err)
		assert.Zero(t, info.Size(), "the load has not ended")
	}
	require.NoError(t, p.progress(harness.Progress{Step: "healing"}))
	taken := unzipped(t, heap)
	assert.Contains(t, taken, "inuse_space")
	require.NoError(t, p.progress(harness.Progress{Step: "draining"}))
	require.NoError(t, p.stop())
	assert.Equal(t, taken, unzipped(t, heap), "it is that of the end of the load")
	assert.Contains(t, unzipped(t, cpu), "nanoseconds")
}

func TestProfilesOfARunThatNeverBegan(t *testing.T) {
	heap := filepath.Join(t.TempDir(), "heap")
	p, err := startProfiles("", newFile(heap))
	require.NoError(t, err)
	require.NoError(t, p.stop())
	assert.Contains(t, unzipped(t, heap), "inuse_space")
}

func TestProfilesNobodyAskedFor(t *testing.T) {
	p, err := startProfiles("", "")
	require.NoError(t, err)
	require.NoError(t, p.progress(harness.Progress{Step: "load"}))
	require.NoError(t, p.progress(harness.Progress{Step: "healing"}))
	require.NoError(t, p.stop())
}

func TestProfilesThatCannotBeWritten(t *testing.T) {
	missing := newFile(filepath.Join(t.TempDir(), "missing", "profile"))
	_, err := startProfiles(missing, "")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "--cpu-profile: ")
	_, err = startProfiles("", missing)
	require.ErrorContains(t, err, "--heap-profile: ")
	require.ErrorContains(t, err, ": choose a file that can be written")
}

func TestProfilesNeedTwoFiles(t *testing.T) {
	for _, test := range []struct {
		cpu, heap newFile
		same      bool
	}{
		{"a", "a", true}, {"a", "./a", true}, {"a", "b", false}, {"a", "", false}, {"", "a", false}, {"", "", false},
	} {
		err := runCommand{CPUProfile: test.cpu, HeapProfile: test.heap}.Validate()
		if test.same {
			require.EqualError(t, err, "--cpu-profile and --heap-profile are the same file: choose two")
			continue
		}
		require.NoError(t, err)
	}
}

func TestProfileThatEndsWithTheDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("this system has no " + full)
	}
	p, err := startProfiles(full, "")
	require.NoError(t, err)
	require.ErrorContains(t, p.stop(), "--cpu-profile: write "+full+": ")
}
