package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/report"
)

// folders are where runs are written to: one for each scenario, or none at all.
type folders []string

func (f folders) of(i int) string {
	if i >= len(f) {
		return ""
	}
	return f[i]
}

// prepareFolders makes the folders that --out asks for, and makes sure that they can be written before hours are spent
// on what goes there. The code is the exit code of the error.
//
// An earlier run in a folder is replaced, as every tool's -o does, and removed now: should this run break, nobody
// mistakes the old verdict for its own. A file of the same name that belongs to no run is never touched.
func prepareFolders(out string, scenarios []*harness.Resolved) (made folders, code int, err error) {
	if out == "" {
		return nil, exitPass, nil
	}
	seen := map[string]string{}
	for _, scenario := range scenarios {
		folder := out
		if len(scenarios) > 1 {
			folder = filepath.Join(out, scenario.Name)
		}
		if other, twice := seen[folder]; twice {
			return nil, exitMistake, fmt.Errorf("--out: %s and %s are both named %s and would share a folder", other, scenario.File, scenario.Name)
		}
		seen[folder] = scenario.File
		made = append(made, folder)
	}
	for i, folder := range made {
		if err := mayReplace(folder, scenarios[i].File); err != nil {
			return nil, exitMistake, err
		}
	}
	for _, folder := range made {
		if err := empty(folder); err != nil {
			return nil, exitEnvironment, fmt.Errorf("--out: %w: choose a folder that can be made and written", err)
		}
	}
	return made, exitPass, nil
}

// mayReplace says why a folder may not be written to.
func mayReplace(folder, scenario string) error {
	if sameFile(filepath.Join(folder, report.ScenarioFile), scenario) {
		return fmt.Errorf("--out: %s would replace the scenario that is to be played: choose another folder", folder)
	}
	if exists(filepath.Join(folder, harness.EvidenceFile)) {
		return nil
	}
	for _, name := range []string{report.ResultFile, report.JUnitFile, report.ScenarioFile} {
		if exists(filepath.Join(folder, name)) {
			return fmt.Errorf("--out: %s is there already and belongs to no run, which has an %s: choose another folder",
				filepath.Join(folder, name), harness.EvidenceFile)
		}
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// empty makes a folder, removes an earlier run from it, and proves that a file can be written there.
func empty(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, name := range []string{harness.EvidenceFile, report.ResultFile, report.JUnitFile, report.ScenarioFile} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	probe, err := os.CreateTemp(folder, ".fleetproof-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
