// Package fleettest brings fleetproof into `go test`.
//
// It takes scenarios, features or a client of one's own, and gives subtests:
//
//	Run       one scenario     ─▶ a subtest for each expectation
//	RunAll    a folder of them ─▶ a subtest for each scenario
//	Features  Gherkin features ─▶ a subtest for each of their scenarios
//	Conform   a producer.New   ─▶ a subtest for each clause of the contract in package producer
//
// What a scenario says decides the verdict; what becomes of the test is decided here: FAIL and ERROR fail it, and so does
// INCONCLUSIVE, since a test that proves nothing must not be green, unless Options allow that by name. Artefacts stay where
// they were written when a test fails, and the test says where.
//
// Conform needs no scenario: it plays each clause against embedded brokers of its own, with the one means that is right for
// it: requests held back, responses lost, brokers gone, error codes. What it cannot see from outside it does not claim.
//
// The package knows how to talk to package testing and nothing of how a run is carried out or judged.
package fleettest
