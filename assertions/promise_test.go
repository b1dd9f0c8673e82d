package assertions

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The table of oracle.md: what each setting promises, and for what reason.
func TestPromises(t *testing.T) {
	const (
		replicated = "acks=all with 3 replicas, at least 2 of them in sync, and clean elections"
		unmoved    = "acks=all and no fault that can move a leader"
		unmoved1   = "acks=1 and no fault that can move a leader"
		quiet      = "no fault is planned and nothing was tried again"
	)
	strong := Setting{
		Acks: "all", Idempotent: true, Partitioner: "murmur2", FixedPartition: true, ReplicationFactor: 3, MinInsyncReplicas: 2,
		Faults: true, MovesLeaders: true, Rescan: true,
	}
	change := func(change func(*Setting)) Setting {
		s := strong
		change(&s)
		return s
	}
	for _, test := range []struct {
		name     string
		setting  Setting
		kept     string // why acked_lost and truncated are promised, and offset_mismatches with them; empty: they are not
		once     string // why duplicates is promised
		ordered  bool
		affinity bool
	}{
		{"replicated and idempotent", strong, replicated, "idempotent producer", true, true},
		{"unclean elections", change(func(s *Setting) { s.UncleanElection = true }), "", "idempotent producer", true, true},
		{"no quorum left", change(func(s *Setting) { s.BreaksQuorum = true }), "", "idempotent producer", true, true},
		{"one replica, leaders move", change(func(s *Setting) { s.ReplicationFactor = 1 }), "", "idempotent producer", true, true},
		{"one in sync, leaders move", change(func(s *Setting) { s.MinInsyncReplicas = 1 }), "", "idempotent producer", true, true},
		{"one replica, no leader moves", change(func(s *Setting) { s.ReplicationFactor, s.MovesLeaders = 1, false }), unmoved, "idempotent producer", true, true},
		{"at least once, with faults", change(func(s *Setting) { s.Idempotent = false }), replicated, "", false, true},
		{"at least once, tried again", change(func(s *Setting) { s.Idempotent, s.Faults, s.MovesLeaders, s.Retries = false, false, false, 1 }), replicated, "", false, true},
		{"at least once, tried nobody knows how often", change(func(s *Setting) {
			s.Idempotent, s.Faults, s.MovesLeaders, s.Retries = false, false, false, UnknownRetries
		}), replicated, "", false, true},
		{"at least once, all quiet", change(func(s *Setting) { s.Idempotent, s.Faults, s.MovesLeaders = false, false, false }), replicated, quiet, false, true},
		{"acks=1, leaders move", change(func(s *Setting) { s.Acks, s.Idempotent = "1", false }), "", "", false, true},
		{"acks=1, no leader moves", change(func(s *Setting) { s.Acks, s.Idempotent, s.MovesLeaders = "1", false, false }), unmoved1, "", false, true},
		{"acks=0", change(func(s *Setting) { s.Acks, s.Idempotent, s.Faults, s.MovesLeaders = "0", false, false, false }), "", quiet, false, true},
		{"failover", change(func(s *Setting) { s.Partitioner, s.FixedPartition = "failover", false }), replicated, "idempotent producer", true, false},
		{"no second scan", change(func(s *Setting) { s.Rescan = false }), replicated, "idempotent producer", true, true},
	} {
		var want []Promise
		promise := func(finding, reason string) { want = append(want, Promise{finding + " == 0", reason}) }
		if test.kept != "" {
			promise("acked_lost", test.kept)
		}
		if test.once != "" {
			promise("duplicates", test.once)
		}
		if test.ordered {
			promise("reordered", "idempotent producer")
		}
		if test.affinity {
			promise("affinity_splits", "partitioner murmur2 keeps a key on its partition")
			promise("wrong_partition", "partitioner murmur2 is a function of the key")
		}
		promise("phantoms", "only this run writes to its topic")
		promise("corrupt", "every record carries its checksum")
		if test.kept != "" {
			promise("offset_mismatches", "acks="+test.setting.Acks+" tells the offset of every record")
		}
		promise("failed_but_stored", "failed is only said of what is certainly not stored")
		if test.kept != "" && test.setting.Rescan {
			promise("truncated", test.kept)
		}
		assert.Equal(t, want, Promises(test.setting), test.name)
	}
}

// What is promised can be stated, and has a meaning under the setting that promises it.
func TestPromisesAreExpectations(t *testing.T) {
	for _, acks := range []string{"all", "1", "0"} {
		for _, fixed := range []bool{true, false} {
			setting := Setting{Acks: acks, Idempotent: acks == "all", Partitioner: "hash", FixedPartition: fixed}
			for _, promise := range Promises(setting) {
				e, err := ParseExpectation(promise.Expectation)
				require.NoError(t, err)
				assert.Equal(t, promise.Expectation, e.String())
				assert.NoError(t, e.Check(Names{Setting: setting}))
			}
		}
	}
}
