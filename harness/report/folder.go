package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fleetproof/fleetproof/assertions"
)

// The files of a run's folder. The evidence beside them is written by the harness, before there is a verdict.
const (
	ResultFile   = "result.json"
	JUnitFile    = "junit.xml"
	ScenarioFile = "scenario.yaml"
)

// WriteFolder writes what a run came to into a folder that exists, with the text of the scenario as it was resolved. The
// error names the file, of which nothing is left: half a document would be taken for a whole one, or break its reader.
func WriteFolder(folder string, scenario []byte, result *assertions.Result) error {
	var json, junit bytes.Buffer
	if err := JSON(&json, result); err != nil {
		return fmt.Errorf("write %s: %w", ResultFile, err)
	}
	if err := JUnit(&junit, result); err != nil {
		return fmt.Errorf("write %s: %w", JUnitFile, err)
	}
	for _, file := range []struct {
		name  string
		bytes []byte
	}{{ResultFile, json.Bytes()}, {JUnitFile, junit.Bytes()}, {ScenarioFile, scenario}} {
		name := filepath.Join(folder, file.name)
		if err := os.WriteFile(name, file.bytes, 0o644); err != nil {
			_ = os.Remove(name)
			return err
		}
	}
	return nil
}
