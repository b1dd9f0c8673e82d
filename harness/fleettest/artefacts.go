package fleettest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// artefacts is the test's own folder for what a run leaves. With -artifacts it is where go test keeps such folders; without,
// go test would remove it also when the test has failed, so that it is a temporary one which is removed only if it has not.
func artefacts(t *testing.T) string {
	t.Helper()
	if keep := flag.Lookup("test.artifacts"); keep != nil && keep.Value.String() == "true" {
		return t.ArtifactDir()
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", r) {
			return r
		}
		return '-'
	}, t.Name())
	const longest = 80 // of a name, well below what file systems take
	folder, err := os.MkdirTemp("", "fleetproof-"+name[:min(longest, len(name))]+"-")
	if err != nil {
		t.Fatalf("make a folder for the artefacts: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("remove the artefacts of a test that passed: %v", err)
		}
	})
	return folder
}
