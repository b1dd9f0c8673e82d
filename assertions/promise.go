package assertions

import "fmt"

// Promise is an expectation that follows from the configuration, and why.
type Promise struct {
	Expectation string // such as duplicates == 0
	Reason      string // such as idempotent producer
}

// Promises lists what acks, idempotence, partitioner, topology and planned faults promise, in the order of the
// metric table. It is what the word promised stands for.
func Promises(s Setting) []Promise {
	var list []Promise
	for _, p := range promises(s) {
		list = append(list, Promise{p.zero().String(), p.reason})
	}
	return list
}

// promise is a finding that must not occur.
type promise struct {
	finding
	reason string
}

// zero is the expectation that the finding does not occur.
func (p promise) zero() Expectation {
	return Expectation{Metric: p.String(), Op: Equal, Limit: Quantity{Text: "0"}}
}

// promises holds every finding against the setting.
func promises(s Setting) []promise {
	var list []promise
	for f := range findingCount {
		if reason := s.promises(f); reason != "" {
			list = append(list, promise{f, reason})
		}
	}
	return list
}

// promises says why a finding must not occur, or nothing where it may.
func (s Setting) promises(f finding) string {
	switch f {
	case ackedLost:
		return s.keeps()
	case truncated:
		if s.Rescan {
			return s.keeps()
		}
	case duplicates:
		switch {
		case s.Idempotent:
			return "idempotent producer"
		case !s.Faults && s.Retries == 0:
			return "no fault is planned and nothing was tried again"
		}
	case reordered:
		if s.Idempotent {
			return "idempotent producer"
		}
	case affinitySplits:
		if s.FixedPartition {
			return fmt.Sprintf("partitioner %s keeps a key on its partition", s.Partitioner)
		}
	case wrongPartition:
		if s.FixedPartition {
			return fmt.Sprintf("partitioner %s is a function of the key", s.Partitioner)
		}
	case offsetMismatches:
		if s.keeps() != "" { // where a log loses its end, another record takes the place of one that was acknowledged
			return fmt.Sprintf("acks=%s tells the offset of every record", s.Acks)
		}
	case failedButStored:
		return "failed is only said of what is certainly not stored"
	case phantoms:
		return "only this run writes to its topic"
	case corrupt:
		return "every record carries its checksum"
	}
	return ""
}

// keeps says why an acknowledged record must still be there at the end. With acks=0 nobody ever said that it was. With
// acks=all it survives the loss of a leader as long as another in-sync replica has it, none that lacks it may lead, and
// the faults leave enough of them. In any other case it is safe exactly as long as no leader moves.
func (s Setting) keeps() string {
	replicated := s.Acks == "all" && s.ReplicationFactor >= 2 && s.MinInsyncReplicas >= 2 &&
		!s.UncleanElection && !s.BreaksQuorum
	switch {
	case s.Acks == "0":
		return ""
	case replicated:
		return fmt.Sprintf("acks=all with %d replicas, at least %d of them in sync, and clean elections",
			s.ReplicationFactor, s.MinInsyncReplicas)
	case !s.MovesLeaders:
		return fmt.Sprintf("acks=%s and no fault that can move a leader", s.Acks)
	default:
		return ""
	}
}
