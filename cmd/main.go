// Package cmd is the command line of fleetproof, which plays a fleet of devices against a Kafka, hurts it on schedule,
// reads everything back with another client, and says what was proven.
//
//	fleetproof run scenarios/quickstart.yaml     plays a scenario and judges it
//	fleetproof plan scenarios/quickstart.yaml    says what would happen, and starts nothing
//	fleetproof validate scenarios/*.yaml         checks scenario files
//	fleetproof judge runs/quickstart             judges an old run again
//	fleetproof list                              lists the shipped scenarios
//	fleetproof explain acked_lost                says what a metric, fault, sensor or client is
//	fleetproof version                           says which versions are in use
//
// It takes the clients that it can put under test, and knows flags, exit codes and the terminal; of how anything works it
// knows nothing: scenarios are loaded and played by package harness, verdicts come from package assertions, and what they
// look like is package report's. It is a package so that anybody builds a fleetproof with a client of his own:
//
//	func main() {
//		cmd.Main(producer.Kind{Name: "mine", Version: "v1.0.0", New: mine.New})
//	}
//
// Results go to standard output, progress and complaints to standard error. The exit code is 0 for PASS, 1 for FAIL, 2
// for a wrong scenario or command line, 3 for INCONCLUSIVE, 4 when the environment failed, and 130 when interrupted.
package cmd

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/fleetproof/fleetproof/producer"
)

// Main carries out the command line of the process and exits. A scenario's producer.kind chooses among the kinds; of two
// with one name it is the first. Unless GOGC and GOMAXPROCS are set, garbage is collected when the heap has quadrupled, and
// one more thread runs Go code than there are processors.
func Main(kinds ...producer.Kind) {
	tune()
	os.Exit(execute(os.Args[1:], world{stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, kinds: kinds}))
}

// collectAt is the growth of the heap, in percent, at which garbage is collected. What is alive is small, while every record
// passes through as garbage, so that Go's own 100 % collects many times a second at full speed.
const collectAt = 300

// tune fits Go's runtime to a generator of load that shares a process with the client under test and the oracle, unless the
// environment says how it is to be.
//
// One more thread than there are processors may run Go code. Go looks at its timers between two goroutines, so that a record
// that falls due while client and oracle hold all threads for milliseconds, to compress or to decode, would wait for them.
// With one thread more that is seldom so, and the operating system soon lets run who has slept. Where the process may use
// only a part of the processors' time, Go has fewer threads than there are processors, and it stays with those: another one
// would have the share used up sooner, and all of them stopped until there is more.
func tune() {
	chosen := func(name string) bool {
		_, set := os.LookupEnv(name)
		return set
	}
	if !chosen("GOGC") {
		debug.SetGCPercent(collectAt)
	}
	if threads := runtime.GOMAXPROCS(0); !chosen("GOMAXPROCS") && threads == runtime.NumCPU() {
		runtime.GOMAXPROCS(threads + 1)
	}
}
