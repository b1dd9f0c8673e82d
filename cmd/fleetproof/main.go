// Command fleetproof plays a fleet of devices against a Kafka, hurts it on schedule, reads everything back with another
// client, and says what was proven.
//
//	fleetproof run scenarios/quickstart.yaml     plays a scenario and judges it
//	fleetproof plan scenarios/quickstart.yaml    says what would happen, and starts nothing
//	fleetproof validate scenarios/*.yaml         checks scenario files
//	fleetproof judge runs/quickstart             judges an old run again
//	fleetproof list                              lists the shipped scenarios
//	fleetproof explain acked_lost                says what a metric, fault or sensor is
//	fleetproof version                           says which versions are in use
//
// It knows flags, exit codes and the terminal, and nothing of how anything works: scenarios are loaded and played by
// package harness, verdicts come from package assertions, and what they look like is package report's.
//
// Results go to standard output, progress and complaints to standard error. The exit code is 0 for PASS, 1 for FAIL, 2
// for a wrong scenario or command line, 3 for INCONCLUSIVE, 4 when the environment failed, and 130 when interrupted.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], world{stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv}))
}
