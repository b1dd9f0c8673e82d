// Package scenarios holds the scenarios that come with fleetproof, the defaults under every scenario, and the JSON Schema
// by which editors complete and check them:
//
//	quickstart.yaml, …   one sentence each; the comment on top says what it proves
//	defaults.yaml        every value that a scenario need not give: there is no other default anywhere
//	schema.json          generated from the Go types by a test of package harness
//
// The files are embedded in the program, so that it runs without a checkout. The package knows nothing of what is in
// them.
package scenarios

import "embed"

// Files holds the scenarios and the defaults, by file name.
//
//go:embed *.yaml
var Files embed.FS

// Schema is the JSON Schema (draft 2020-12) of a scenario file.
//
//go:embed schema.json
var Schema []byte
