// Package features plays scenarios that are written as Gherkin features.
//
//	*.feature ─▶ steps ─▶ harness.Draft ─▶ harness.Run, once ─▶ assertions.Result ─▶ one verdict for each Then
//
// It takes feature files and the producers that may be put under test. Each Gherkin scenario is read to its end before
// anything starts: the steps before "When the scenario runs" put the scenario together, those after it are its
// expectations, and whatever is wrong with either is told at once, with file and line. The step that runs it plays it
// exactly once, and every Then reads its own verdict from the one result, in the judge's words.
//
// A feature is laid over the same defaults and checked by the same rules as a YAML file, so both come to the same
// scenario where they say the same.
//
// It knows how features are read and how godog is kept from passing what proves nothing: an undefined step, a tag
// expression that it would misread, no scenario at all. It does not know how a scenario is played or judged; no step waits
// or talks to a broker.
package features

import "embed"

// Files are the features that come with fleetproof.
//
//go:embed *.feature
var Files embed.FS
