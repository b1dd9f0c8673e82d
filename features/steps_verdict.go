package features

import "fmt"

// runSteps play the scenario.
func runSteps() []step {
	return []step{
		{
			pattern: `the scenario runs`,
			doc:     "Plays the scenario, once. It fails where the run itself went wrong or proves too little, and where an expectation was missed that no Then of this scenario states. Without any Then the configuration must keep its promises.",
			example: `the scenario runs`,
			same:    "fleetproof run",
			do:      func(*script, []string) {},
		},
		{
			pattern: `the scenario runs and is shut down after {duration}`,
			doc:     "The same, but the load ends in the middle, so long after it began, and faults and anomalies with it: what has been handed over by then is drained, read back and judged.",
			example: `the scenario runs and is shut down after 2s`,
			same:    "fleetproof run, with stages, faults and anomalies cut off after 2s",
			do:      func(s *script, arg []string) { s.draft.End(s.at, arg[0]) },
		},
	}
}

// verdictSteps say what must hold.
func verdictSteps() []step {
	claims := func(text func(arg []string) string) func(*script, []string) {
		return func(s *script, arg []string) { s.expect(text(arg)) }
	}
	claim := func(text string) func(*script, []string) {
		return claims(func([]string) string { return text })
	}
	latency := map[string]string{"ack": "ack_latency", "end-to-end": "e2e_latency"}
	return []step{
		{
			pattern: `{expectation}`,
			doc:     "Any expectation, as in YAML: METRIC[.AGGREGATE] OPERATOR LIMIT [SCOPE], or promised. `fleetproof explain METRIC` says what a metric counts.",
			example: `ack_latency.p99 < 500ms outside faults`,
			same:    "ack_latency.p99 < 500ms outside faults",
			do:      claims(func(arg []string) string { return arg[0] }),
		},
		{
			pattern: `at least {float}% of records are acknowledged`,
			doc:     "Of those that were due.",
			example: `at least 99.9% of records are acknowledged`,
			same:    "success_rate >= 99.9%",
			do:      claims(func(arg []string) string { return "success_rate >= " + arg[0] + "%" }),
		},
		{
			pattern: `every record that was sent is acknowledged`,
			doc:     "Nothing that was handed over is in doubt, and nothing failed.",
			example: `every record that was sent is acknowledged`,
			same:    "unknown == 0 and failed == 0",
			do: func(s *script, _ []string) {
				s.expect("unknown == 0")
				s.expect("failed == 0")
			},
		},
		{
			pattern: `every device's records land on one partition`,
			doc:     "Without that there is no order across a device's records.",
			example: `every device's records land on one partition`,
			same:    "affinity_splits == 0",
			do:      claim("affinity_splits == 0"),
		},
		{
			pattern: `every record lands on the partition of its key`,
			doc:     "The one that the declared partitioner gives, by a computation that is not the client's own.",
			example: `every record lands on the partition of its key`,
			same:    "wrong_partition == 0",
			do:      claim("wrong_partition == 0"),
		},
		{
			pattern: `each device's records arrive in order`,
			doc:     "In the order in which they were sent.",
			example: `each device's records arrive in order`,
			same:    "reordered == 0",
			do:      claim("reordered == 0"),
		},
		{
			pattern: `no acknowledged record is lost`,
			doc:     "Each of them was read back, by another client than the one that sent it.",
			example: `no acknowledged record is lost`,
			same:    "acked_lost == 0",
			do:      claim("acked_lost == 0"),
		},
		{
			pattern: `no record is duplicated`,
			doc:     "None is stored twice, however often it was sent.",
			example: `no record is duplicated`,
			same:    "duplicates == 0",
			do:      claim("duplicates == 0"),
		},
		{
			pattern: `every promise of the configuration holds`,
			doc:     "What acks, idempotence, partitioner and topology promise, each with its reason; `fleetproof plan` lists it.",
			example: `every promise of the configuration holds`,
			same:    "promised",
			do:      claim("promised"),
		},
		{
			pattern: `[during (stage|fault) {string} ]the p{float} (ack|end-to-end) latency is below {duration}`,
			doc:     "Counted from when a record was due: until it was acknowledged, or until it was read back.",
			example: `during stage "hold" the p99 end-to-end latency is below 250ms`,
			same:    "e2e_latency.p99 < 250ms during stage hold",
			do: claims(func(arg []string) string {
				text := fmt.Sprintf("%s.p%s < %s", latency[arg[3]], arg[2], arg[4])
				if arg[0] != "" {
					text += " during " + arg[0] + " " + arg[1]
				}
				return text
			}),
		},
		{
			pattern: `within {duration} of fault {string} the p{float} (ack|end-to-end) latency is back below {duration}`,
			doc:     "From some moment on, at most so long after the healing of the fault, and then for good.",
			example: `within 30s of fault "crash" the p99 end-to-end latency is back below 250ms`,
			same:    "e2e_latency.p99 < 250ms within 30s after fault crash",
			do: claims(func(arg []string) string {
				return fmt.Sprintf("%s.p%s < %s within %s after fault %s", latency[arg[3]], arg[2], arg[4], arg[0], arg[1])
			}),
		},
		{
			pattern: `every injected anomaly is detected`,
			doc:     "Each anomaly, on every device that it touched, in what was read back.",
			example: `every injected anomaly is detected`,
			same:    "anomalies.surge.detected == 100%, and so on for every anomaly",
			do: func(s *script, _ []string) {
				names := s.draft.Names("anomalies")
				if len(names) == 0 {
					s.mistake("no anomaly is injected", "say which: at 2s building 1 shows a spike of 58 on \"temperature\" for 4s")
				}
				for _, name := range names {
					s.expect("anomalies." + name + ".detected == 100%")
				}
			},
		},
		{
			pattern: `it cannot be decided whether {expectation}`,
			doc:     "The judge must call the expectation INCONCLUSIVE: neither a pass nor a failure would be honest.",
			example: `it cannot be decided whether achieved_rate >= 95%`,
			same:    "achieved_rate >= 95%, with the verdict INCONCLUSIVE",
			do: func(s *script, arg []string) {
				s.undecided[s.at] = true
				s.expect(arg[0])
			},
		},
	}
}
