package assertions

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// The calls a history is made of. Device d's record s is due at s seconds; with three partitions device 0 belongs to
// partition 1, device 1 to 2 and device 2 to 0.
func opens(device uint32, sequences ...uint64) (history []step) {
	for _, s := range sequences {
		history = append(history, step{call: "open", device: device, sequence: s, due: time.Duration(s) * time.Second})
	}
	return history
}

func acks(device uint32, sequence uint64, partition int32, offset int64) step {
	return step{call: "acked", device: device, sequence: sequence, at: place{partition, offset}}
}

func ends(call string, device uint32, sequence uint64) step {
	return step{call: call, device: device, sequence: sequence}
}

func sees(device uint32, sequence uint64, partition int32, offset int64) step {
	due := time.Duration(sequence) * time.Second
	return step{
		call: "seen", device: device, sequence: sequence, at: place{partition, offset}, due: due, now: due + time.Second,
	}
}

func (s step) in(session uint16) step { s.session = session; return s }

func (s step) damaged() step { s.corrupt = true; return s }

func steps(parts ...any) (history []step) {
	for _, part := range parts {
		switch part := part.(type) {
		case step:
			history = append(history, part)
		case []step:
			history = append(history, part...)
		default:
			panic(fmt.Sprintf("%T", part))
		}
	}
	return history
}

func TestLedgerHistories(t *testing.T) {
	rescan := step{call: "rescan"}
	const estimated = "read by the tail, absent from the second scan; due time estimated from its neighbours"
	type found = map[string][]Offender
	for name, test := range map[string]struct {
		failover bool
		ends     map[int32]int64
		history  []step
		want     found
		counts   Counts
		problem  string
	}{
		"nothing happened": {},
		"acked, then seen": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), sees(0, 0, 1, 7)),
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
		},
		"seen, then acked": {
			history: steps(opens(0, 0), sees(0, 0, 1, 7), acks(0, 0, 1, 7)),
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
		},
		"acked without an offset": {
			history: steps(opens(0, 0, 1), acks(0, 0, 0, -1), sees(0, 0, 1, 7), sees(0, 1, 1, 8), acks(0, 1, 0, -1)),
			counts:  Counts{Due: 2, Sent: 2, Acked: 2, NoOffset: 2, Consumed: 2},
		},
		"acked, never seen": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 8), sees(0, 0, 1, 7)),
			want: found{"acked_lost": {
				{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "acknowledged, never read back"},
			}},
			counts: Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 1},
		},
		"acked where another record lies, and nowhere in the log": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 7), sees(0, 0, 1, 7)),
			want: found{
				"acked_lost":        {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 7, Note: "acknowledged, never read back"}},
				"offset_mismatches": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 7, Note: "acknowledged there, where another record was read"}},
			},
			counts: Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 1},
		},
		"acked where something lies that may have been the record": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 8),
				step{call: "garbled", at: place{1, 7}}, step{call: "phantom", at: place{1, 8}}),
			want: found{
				"acked_lost": {
					{Device: "d0", Partition: 1, Offset: 7, Note: "acknowledged, never read back"},
					{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "acknowledged, never read back"},
				},
				"corrupt":  {{Sequence: -1, Due: Never, Partition: 1, Offset: 7, Note: "header too short, read at 0s"}},
				"phantoms": {{Sequence: -1, Due: Never, Partition: 1, Offset: 8, Note: "another run's, read at 0s"}},
			},
			counts: Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 2},
		},
		"acked where the tail met another record, and the second scan met none": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 8), sees(0, 0, 1, 8), rescan, sees(0, 0, 1, 7)),
			want: found{
				"acked_lost": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "acknowledged, never read back"}},
			},
			counts: Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 1},
		},
		"acked at an offset that cannot be": {
			history: steps(opens(0, 0, 1, 2), acks(0, 0, 1, -7), sees(0, 0, 1, 7), sees(0, 1, 1, 8), acks(0, 1, 1, -2), acks(0, 2, 1, -7)),
			want: found{
				"offset_mismatches": {
					{Device: "d0", Partition: 1, Offset: -7, Note: "acknowledged at an offset that no record can have"},
					{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: -2, Note: "acknowledged at an offset that no record can have"},
					{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: -7, Note: "acknowledged at an offset that no record can have"},
				},
				"acked_lost": {{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: -1, Note: "acknowledged, never read back"}},
			},
			counts: Counts{Due: 3, Sent: 3, Acked: 3, Consumed: 2},
		},
		"acked beyond the end of the log": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7)),
			ends:    map[int32]int64{1: 7},
			want: found{"acked_lost": {{
				Device: "d0", Partition: 1, Offset: 7,
				Note: "acknowledged, never read back: its partition ends at offset 7",
			}}},
			counts: Counts{Due: 1, Sent: 1, Acked: 1},
		},
		"acked at the last offset of the log": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7)),
			ends:    map[int32]int64{1: 8},
			want:    found{"acked_lost": {{Device: "d0", Partition: 1, Offset: 7, Note: "acknowledged, never read back"}}},
			counts:  Counts{Due: 1, Sent: 1, Acked: 1},
		},
		"failed, never seen": {
			history: steps(opens(0, 0), ends("failed", 0, 0)),
			counts:  Counts{Due: 1, Sent: 1, Failed: 1},
		},
		"failed, then seen twice": {
			history: steps(opens(0, 0), ends("failed", 0, 0), sees(0, 0, 1, 7), sees(0, 0, 1, 8)),
			want: found{
				"failed_but_stored": {{Device: "d0", Partition: 1, Offset: 7, Note: "reported as failed, yet in the log"}},
				"duplicates":        {{Device: "d0", Partition: 1, Offset: 8, Note: "read 2 times"}},
			},
			counts: Counts{Due: 1, Sent: 1, Failed: 1, Consumed: 2},
		},
		"seen twice, then failed": {
			history: steps(opens(0, 0), sees(0, 0, 1, 7), sees(0, 0, 1, 8), ends("failed", 0, 0)),
			want: found{
				"failed_but_stored": {{Device: "d0", Partition: 1, Offset: 7, Note: "reported as failed, yet in the log"}},
				"duplicates":        {{Device: "d0", Partition: 1, Offset: 8, Note: "read 2 times"}},
			},
			counts: Counts{Due: 1, Sent: 1, Failed: 1, Consumed: 2},
		},
		"unknown, in every order": {
			history: steps(
				opens(0, 0, 1, 2), ends("unknown", 0, 0), sees(0, 0, 1, 7), sees(0, 1, 1, 8), ends("unknown", 0, 1),
				ends("unknown", 0, 2)),
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 2},
		},
		"no outcome by the end": {
			history: steps(opens(0, 0, 1), sees(0, 0, 1, 7)),
			counts:  Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 1},
		},
		"seen three times": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), sees(0, 0, 1, 7), sees(0, 0, 1, 8), sees(0, 0, 1, 9)),
			want: found{"duplicates": {
				{Device: "d0", Partition: 1, Offset: 8, Note: "read 2 times"},
				{Device: "d0", Partition: 1, Offset: 9, Note: "read 3 times"},
			}},
			counts: Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 3},
		},
		"a copy on purpose is a record of its own": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 8), sees(0, 0, 1, 7), sees(0, 1, 1, 8)),
			counts:  Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 2},
		},
		"stored twice and told of the second place, which is seen after the acknowledgement": {
			history: steps(opens(0, 0), sees(0, 0, 1, 7), acks(0, 0, 1, 9), sees(0, 0, 1, 9)),
			want:    found{"duplicates": {{Device: "d0", Partition: 1, Offset: 9, Note: "read 2 times"}}},
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 2},
		},
		"stored twice and told of the second place, which is seen before the acknowledgement": {
			history: steps(opens(0, 0), sees(0, 0, 1, 7), sees(0, 0, 1, 9), acks(0, 0, 1, 9)),
			want:    found{"duplicates": {{Device: "d0", Partition: 1, Offset: 9, Note: "read 2 times"}}},
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 2},
		},
		"stored twice and told of a third place": {
			history: steps(opens(0, 0), acks(0, 0, 1, 8), sees(0, 0, 1, 7), sees(0, 0, 1, 9)),
			want: found{
				"duplicates": {{Device: "d0", Partition: 1, Offset: 9, Note: "read 2 times"}},
				"offset_mismatches": {{
					Device: "d0", Partition: 1, Offset: 8,
					Note: "acknowledged there, read back from partition 1 at offset 7",
				}},
			},
			counts: Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 2},
		},
		"a shifted offset, in either order": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 8), sees(0, 0, 1, 7), sees(0, 1, 1, 8), acks(0, 1, 1, 9)),
			want: found{"offset_mismatches": {
				{
					Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 8,
					Note: "acknowledged there, read back from partition 1 at offset 7",
				},
				{
					Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 9,
					Note: "acknowledged there, read back from partition 1 at offset 8",
				},
			}},
			counts: Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 2},
		},
		"two records swapped": {
			history: steps(
				opens(0, 0, 1, 2), sees(0, 0, 1, 0), sees(0, 2, 1, 1), sees(0, 1, 1, 2),
				ends("unknown", 0, 0), ends("unknown", 0, 1), ends("unknown", 0, 2)),
			want:   found{"reordered": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 2, Note: "read after #2"}}},
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 3},
		},
		"only first occurrences have an order": {
			history: steps(
				opens(0, 0, 1), sees(0, 0, 1, 0), sees(0, 1, 1, 1), sees(0, 0, 1, 2),
				ends("unknown", 0, 0), ends("unknown", 0, 1)),
			want:   found{"duplicates": {{Device: "d0", Partition: 1, Offset: 2, Note: "read 2 times"}}},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 3},
		},
		"order is not judged across sessions": {
			history: steps(
				opens(0, 0, 1, 2, 3), sees(0, 2, 1, 0), sees(0, 0, 1, 1).in(1), sees(0, 3, 1, 2), sees(0, 1, 1, 3).in(1)),
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"order is judged within a session that goes on": {
			history: steps(
				opens(0, 0, 1, 2, 3), sees(0, 2, 1, 0), sees(0, 3, 1, 1).in(1), sees(0, 0, 1, 2), sees(0, 1, 1, 3).in(1)),
			want: found{"reordered": {
				{Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 2, Note: "read after #2"},
				{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 3, Note: "read after #3"},
			}},
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"order is not judged across partitions, but within each": {
			failover: true,
			history: steps(
				opens(2, 0, 1, 2, 3), sees(2, 3, 0, 0), sees(2, 0, 1, 0), sees(2, 2, 0, 1), sees(2, 1, 1, 1)),
			want: found{
				"reordered":       {{Device: "d2", Sequence: 2, Due: 2 * time.Second, Partition: 0, Offset: 1, Note: "read after #3"}},
				"affinity_splits": {{Device: "d2", Sequence: 0, Due: 0, Partition: 1, Offset: 0, Note: "also in partition 0"}},
			},
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"a record moved to another partition": {
			history: steps(
				opens(0, 0, 1, 2), acks(0, 0, 1, 7), sees(0, 0, 1, 7), acks(0, 1, 1, 8), sees(0, 1, 2, 3), acks(0, 2, 1, 9),
				sees(0, 2, 1, 9)),
			want: found{
				"wrong_partition": {{
					Device: "d0", Sequence: 1, Due: time.Second, Partition: 2, Offset: 3, Note: "expected in partition 1",
				}},
				"affinity_splits": {{
					Device: "d0", Sequence: 1, Due: time.Second, Partition: 2, Offset: 3, Note: "also in partition 1",
				}},
				"offset_mismatches": {{
					Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8,
					Note: "acknowledged there, read back from partition 2 at offset 3",
				}},
			},
			counts: Counts{Due: 3, Sent: 3, Acked: 3, Consumed: 3},
		},
		"the first record in a wrong partition splits its device too": {
			history: steps(opens(0, 0, 1, 2), sees(0, 0, 2, 3), sees(0, 1, 1, 0), sees(0, 2, 2, 4)),
			want: found{
				"wrong_partition": {
					{Device: "d0", Sequence: 0, Due: 0, Partition: 2, Offset: 3, Note: "expected in partition 1"},
					{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 2, Offset: 4, Note: "expected in partition 1"},
				},
				"affinity_splits": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 0, Note: "also in partition 2"}},
			},
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 3},
		},
		"a whole device in a wrong partition is not split": {
			history: steps(opens(0, 0, 1), sees(0, 0, 2, 3), sees(0, 1, 2, 4)),
			want: found{"wrong_partition": {
				{Device: "d0", Sequence: 0, Due: 0, Partition: 2, Offset: 3, Note: "expected in partition 1"},
				{Device: "d0", Sequence: 1, Due: time.Second, Partition: 2, Offset: 4, Note: "expected in partition 1"},
			}},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 2},
		},
		"without an expectation no partition is wrong, and a second one splits, once": {
			failover: true,
			history:  steps(opens(0, 0, 1, 2), sees(0, 0, 0, 0), sees(0, 1, 2, 0), sees(0, 2, 0, 1)),
			want: found{"affinity_splits": {
				{Device: "d0", Sequence: 1, Due: time.Second, Partition: 2, Offset: 0, Note: "also in partition 0"},
			}},
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 3},
		},
		// With five partitions device 3 moves from partition 1 to 4.
		"the topic grows, and the device moves": {
			history: steps(
				opens(3, 0, 1, 2, 3), sees(3, 0, 1, 0),
				step{call: "partitions", now: 1500 * time.Millisecond, count: 5},
				sees(3, 1, 1, 1), sees(3, 2, 4, 0), sees(3, 3, 4, 1)),
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"a record in flight while the topic grows may follow either count": {
			history: steps(
				opens(3, 0, 1, 2), sees(3, 0, 1, 0),
				step{call: "partitions", now: 1500 * time.Millisecond, count: 5},
				sees(3, 1, 4, 0), sees(3, 2, 4, 1)),
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 3},
		},
		"the new partition before the topic grows": {
			history: steps(
				opens(3, 0, 1), step{call: "partitions", now: 2500 * time.Millisecond, count: 5},
				sees(3, 0, 1, 0), sees(3, 1, 4, 0)),
			want: found{
				"wrong_partition": {{Device: "d3", Sequence: 1, Due: time.Second, Partition: 4, Offset: 0, Note: "expected in partition 1"}},
				"affinity_splits": {{Device: "d3", Sequence: 1, Due: time.Second, Partition: 4, Offset: 0, Note: "also in partition 1"}},
			},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 2},
		},
		"the old partition after the topic grew": {
			history: steps(
				opens(3, 0, 1, 2, 3), step{call: "partitions", now: 500 * time.Millisecond, count: 5},
				sees(3, 0, 1, 0), sees(3, 1, 4, 0), sees(3, 2, 1, 1), sees(3, 3, 4, 1)),
			want: found{
				"wrong_partition": {{Device: "d3", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: 1, Note: "expected in partition 4"}},
				"affinity_splits": {{Device: "d3", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: 1, Note: "also in partition 4"}},
			},
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"a device that never moves with the topic is wrong, not split": {
			history: steps(
				opens(3, 0, 1), step{call: "partitions", now: 500 * time.Millisecond, count: 5}, sees(3, 0, 1, 0), sees(3, 1, 1, 1)),
			want: found{"wrong_partition": {
				{Device: "d3", Sequence: 1, Due: time.Second, Partition: 1, Offset: 1, Note: "expected in partition 4"},
			}},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 2},
		},
		"the old partition while the client may not know that the topic grew": {
			history: steps(
				opens(3, 0, 1, 2, 3), step{call: "partitions", now: 500 * time.Millisecond, due: 3 * time.Second, count: 5},
				sees(3, 0, 1, 0), sees(3, 1, 1, 1), sees(3, 2, 4, 0), sees(3, 3, 1, 2)),
			want: found{
				"wrong_partition": {{Device: "d3", Sequence: 3, Due: 3 * time.Second, Partition: 1, Offset: 2, Note: "expected in partition 4"}},
				"affinity_splits": {{Device: "d3", Sequence: 3, Due: 3 * time.Second, Partition: 1, Offset: 2, Note: "also in partition 4"}},
			},
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"due at the moment the topic grew": {
			history: steps(opens(3, 0, 1), step{call: "partitions", now: time.Second, count: 5}, sees(3, 0, 1, 0), sees(3, 1, 1, 1)),
			want: found{"wrong_partition": {
				{Device: "d3", Sequence: 1, Due: time.Second, Partition: 1, Offset: 1, Note: "expected in partition 4"},
			}},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 2},
		},
		"read before the topic grew, though reported after": {
			history: steps(
				opens(3, 0, 1), step{call: "partitions", now: 1500 * time.Millisecond, count: 5},
				sees(3, 1, 4, 1), sees(3, 0, 4, 0)),
			want: found{
				"wrong_partition": {{Device: "d3", Sequence: 0, Due: 0, Partition: 4, Offset: 0, Note: "expected in partition 1"}},
				"reordered":       {{Device: "d3", Sequence: 0, Due: 0, Partition: 4, Offset: 0, Note: "read after #1"}},
			},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 2},
		},
		// With three, five and seven partitions device 6 belongs to 1, 2 and 0.
		"a device that moves late is wrong, not split": {
			history: steps(
				opens(6, 0, 1, 2, 3), step{call: "partitions", now: 500 * time.Millisecond, count: 5},
				step{call: "partitions", now: 1500 * time.Millisecond, count: 7},
				sees(6, 0, 1, 0), sees(6, 1, 2, 0), sees(6, 2, 2, 1), sees(6, 3, 0, 0)),
			want: found{"wrong_partition": {
				{Device: "d6", Sequence: 2, Due: 2 * time.Second, Partition: 2, Offset: 1, Note: "expected in partition 0"},
			}},
			counts: Counts{Due: 4, Sent: 4, Unknown: 4, Consumed: 4},
		},
		"damaged but legible": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), sees(0, 0, 1, 7).damaged()),
			want:    found{"corrupt": {{Device: "d0", Partition: 1, Offset: 7, Note: "its checksum differs"}}},
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
		},
		"damaged beyond its identity": {
			history: steps(
				opens(0, 0), sees(0, 5, 1, 7).damaged(), sees(99, 0, 1, 8).damaged(),
				step{call: "garbled", at: place{1, 9}, now: time.Second}),
			want: found{"corrupt": {
				{Sequence: -1, Due: Never, Partition: 1, Offset: 7, Note: "its checksum differs"},
				{Sequence: -1, Due: Never, Partition: 1, Offset: 8, Note: "its checksum differs"},
				{Sequence: -1, Due: Never, Partition: 1, Offset: 9, Note: "header too short, read at 1s"},
			}},
			counts: Counts{Due: 1, Sent: 1, Unknown: 1, Consumed: 3},
		},
		"what nobody handed over": {
			history: steps(
				opens(0, 0), sees(0, 5, 1, 7), sees(99, 3, 1, 8), step{call: "phantom", at: place{1, 9}, now: time.Second}),
			want: found{"phantoms": {
				{Sequence: -1, Due: Never, Partition: 1, Offset: 9, Note: "another run's, read at 1s"},
				{Sequence: 3, Due: 3 * time.Second, Partition: 1, Offset: 8, Note: "device 99 #3 was never handed over"},
				{Device: "d0", Sequence: 5, Due: 5 * time.Second, Partition: 1, Offset: 7, Note: "device 0 #5 was never handed over"},
			}},
			counts: Counts{Due: 1, Sent: 1, Unknown: 1, Consumed: 3},
		},
		"withdrawn, and its number used again": {
			history: steps(
				opens(0, 0, 1), ends("withdraw", 0, 1), opens(0, 1), acks(0, 1, 1, 8), sees(0, 1, 1, 8), ends("failed", 0, 0)),
			counts: Counts{Due: 3, Sent: 2, Acked: 1, Failed: 1, Unsent: 1, Consumed: 1},
		},
		"withdrawn, but stored": {
			history: steps(
				opens(0, 0), sees(0, 0, 1, 7), sees(0, 0, 1, 8), ends("withdraw", 0, 0), opens(0, 0), acks(0, 0, 1, 9),
				sees(0, 0, 1, 9), sees(0, 0, 1, 10)),
			want: found{
				"phantoms": {{Device: "d0", Partition: 1, Offset: 7, Note: "the producer refused it"}},
				"duplicates": {
					{Device: "d0", Partition: 1, Offset: 8, Note: "read 2 times"},
					{Device: "d0", Partition: 1, Offset: 10, Note: "read 2 times"},
				},
				// The sequence number was met before, under the record that was refused.
				"reordered": {{Device: "d0", Partition: 1, Offset: 9, Note: "read after #0"}},
			},
			counts: Counts{Due: 2, Sent: 1, Acked: 1, Unsent: 1, Consumed: 4},
		},

		"a second scan that meets everything": {
			history: steps(
				opens(0, 0, 1, 2), acks(0, 0, 1, 7), sees(0, 0, 1, 7), sees(0, 1, 1, 8), acks(0, 1, 1, 8), ends("unknown", 0, 2),
				rescan, sees(0, 0, 1, 7), sees(0, 1, 1, 8)),
			counts: Counts{Due: 3, Sent: 3, Acked: 2, Unknown: 1, Consumed: 2},
		},
		"seen by the tail, gone in the second scan": {
			history: steps(
				opens(0, 0, 1, 2, 3, 4, 5), acks(0, 0, 1, 0), acks(0, 1, 1, 1), acks(0, 2, 1, 2), acks(0, 3, 1, 3), acks(0, 4, 1, 4),
				ends("unknown", 0, 5),
				sees(0, 0, 1, 0), sees(0, 1, 1, 1), sees(0, 2, 1, 2), sees(0, 3, 1, 3), sees(0, 4, 1, 4), sees(0, 5, 1, 5),
				rescan, sees(0, 0, 1, 0), sees(0, 3, 1, 3)),
			want: found{
				"truncated": {
					{Device: "d0", Sequence: 1, Due: 1 * time.Second, Partition: 1, Offset: -1, Note: estimated},
					{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: -1, Note: estimated},
					{Device: "d0", Sequence: 4, Due: 3*time.Second + 2*time.Second/3, Partition: 1, Offset: -1, Note: estimated},
					{Device: "d0", Sequence: 5, Due: 3*time.Second + 4*time.Second/3, Partition: 1, Offset: -1, Note: estimated},
				},
				"acked_lost": {
					{Device: "d0", Sequence: 1, Due: 1 * time.Second, Partition: 1, Offset: -1, Note: "acknowledged, " + estimated},
					{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 1, Offset: -1, Note: "acknowledged, " + estimated},
					{Device: "d0", Sequence: 4, Due: 3*time.Second + 2*time.Second/3, Partition: 1, Offset: -1, Note: "acknowledged, " + estimated},
				},
			},
			counts: Counts{Due: 6, Sent: 6, Acked: 5, Unknown: 1, Consumed: 6},
		},
		"gone in the second scan, which meets the rest out of order and in two partitions": {
			history: steps(
				opens(0, 0, 1, 2, 3, 4),
				sees(0, 0, 1, 0), sees(0, 1, 1, 1), sees(0, 2, 1, 2), sees(0, 3, 1, 3), sees(0, 4, 2, 0),
				ends("unknown", 0, 0), ends("unknown", 0, 1), ends("unknown", 0, 2), ends("unknown", 0, 3), ends("unknown", 0, 4),
				rescan, sees(0, 4, 2, 0), sees(0, 0, 1, 0), sees(0, 2, 1, 2)),
			want: found{
				"wrong_partition": {{Device: "d0", Sequence: 4, Due: 4 * time.Second, Partition: 2, Offset: 0, Note: "expected in partition 1"}},
				"affinity_splits": {{Device: "d0", Sequence: 4, Due: 4 * time.Second, Partition: 2, Offset: 0, Note: "also in partition 1"}},
				// The gap begins before the first record: by a straight line from 0 to #4 at four seconds.
				"truncated": {
					{Device: "d0", Sequence: 1, Due: 8 * time.Second / 5, Partition: -1, Offset: -1, Note: estimated},
					{Device: "d0", Sequence: 3, Due: 16 * time.Second / 5, Partition: -1, Offset: -1, Note: estimated},
				},
			},
			counts: Counts{Due: 5, Sent: 5, Unknown: 5, Consumed: 5},
		},
		"lost to both scans": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), rescan),
			want:    found{"acked_lost": {{Device: "d0", Partition: 1, Offset: 7, Note: "acknowledged, never read back"}}},
			counts:  Counts{Due: 1, Sent: 1, Acked: 1},
		},
		"missed by the tail, met by the second scan": {
			history: steps(opens(0, 0, 1), acks(0, 0, 1, 7), acks(0, 1, 1, 8), sees(0, 1, 1, 8), rescan, sees(0, 0, 1, 7), sees(0, 1, 1, 8)),
			counts:  Counts{Due: 2, Sent: 2, Acked: 2, Consumed: 2},
		},
		"wrong where only the second scan looks": {
			history: steps(
				opens(0, 0, 1), acks(0, 0, 1, 7), ends("failed", 0, 1), rescan, sees(0, 0, 2, 7).damaged(), sees(0, 1, 1, 8)),
			want: found{
				"corrupt":         {{Device: "d0", Partition: 2, Offset: 7, Note: "its checksum differs"}},
				"wrong_partition": {{Device: "d0", Partition: 2, Offset: 7, Note: "expected in partition 1"}},
				"affinity_splits": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "also in partition 2"}},
				"offset_mismatches": {{
					Device: "d0", Partition: 1, Offset: 7, Note: "acknowledged there, read back from partition 2 at offset 7",
				}},
				"failed_but_stored": {{
					Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "reported as failed, yet in the log",
				}},
			},
			counts: Counts{Due: 2, Sent: 2, Acked: 1, Failed: 1, Consumed: 2},
		},
		"damaged when it is read again": {
			history: steps(
				opens(0, 0, 1), acks(0, 0, 1, 7), ends("unknown", 0, 1), sees(0, 0, 1, 7), sees(0, 1, 1, 8),
				rescan, sees(0, 0, 1, 7).damaged(), sees(0, 1, 1, 8).damaged()),
			want: found{"corrupt": {
				{Device: "d0", Partition: 1, Offset: 7, Note: "its checksum differs"},
				{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 8, Note: "its checksum differs"},
			}},
			counts: Counts{Due: 2, Sent: 2, Acked: 1, Unknown: 1, Consumed: 2},
		},
		"a damaged record counts once, however often it is read": {
			history: steps(
				opens(0, 0), acks(0, 0, 1, 7), sees(0, 0, 1, 7).damaged(), sees(0, 0, 1, 8).damaged(),
				rescan, sees(0, 0, 1, 7).damaged(), sees(0, 0, 1, 8).damaged()),
			want: found{
				"corrupt":    {{Device: "d0", Partition: 1, Offset: 7, Note: "its checksum differs"}},
				"duplicates": {{Device: "d0", Partition: 1, Offset: 8, Note: "read 2 times"}},
			},
			counts: Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 2},
		},
		"findings of the tail do not count again in the second scan": {
			history: steps(
				opens(0, 0, 1, 2), sees(0, 1, 1, 0).damaged(), sees(0, 0, 1, 1), sees(0, 0, 1, 2), sees(0, 2, 2, 0),
				step{call: "phantom", at: place{1, 3}},
				ends("unknown", 0, 0), ends("unknown", 0, 1), ends("unknown", 0, 2),
				rescan, sees(0, 1, 1, 0).damaged(), sees(0, 0, 1, 1), sees(0, 0, 1, 2), sees(0, 2, 2, 0),
				step{call: "phantom", at: place{1, 3}}),
			want: found{
				"corrupt":         {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 0, Note: "its checksum differs"}},
				"reordered":       {{Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 1, Note: "read after #1"}},
				"duplicates":      {{Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 2, Note: "read 2 times"}},
				"wrong_partition": {{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 2, Offset: 0, Note: "expected in partition 1"}},
				"affinity_splits": {{Device: "d0", Sequence: 2, Due: 2 * time.Second, Partition: 2, Offset: 0, Note: "also in partition 1"}},
				"phantoms":        {{Sequence: -1, Due: Never, Partition: 1, Offset: 3, Note: "another run's, read at 0s"}},
			},
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 5},
		},
		"duplicates and disorder that only the second scan meets": {
			history: steps(
				opens(0, 0, 1), sees(0, 0, 1, 0), ends("unknown", 0, 0), ends("unknown", 0, 1),
				rescan, sees(0, 1, 1, 0), sees(0, 0, 1, 1), sees(0, 0, 1, 2)),
			want: found{
				"reordered":  {{Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 1, Note: "read after #1"}},
				"duplicates": {{Device: "d0", Sequence: 0, Due: 0, Partition: 1, Offset: 2, Note: "read 2 times"}},
			},
			counts: Counts{Due: 2, Sent: 2, Unknown: 2, Consumed: 3},
		},
		"the order of the second scan is judged by partition and session": {
			history: steps(
				opens(0, 0, 1, 2), ends("unknown", 0, 0), ends("unknown", 0, 1), ends("unknown", 0, 2),
				rescan, sees(0, 2, 1, 0), sees(0, 0, 1, 1).in(1), sees(0, 1, 1, 2)),
			want:   found{"reordered": {{Device: "d0", Sequence: 1, Due: time.Second, Partition: 1, Offset: 2, Note: "read after #2"}}},
			counts: Counts{Due: 3, Sent: 3, Unknown: 3, Consumed: 3},
		},
		"a mismatch of the tail that the second scan clears": {
			history: steps(opens(0, 0), acks(0, 0, 1, 8), sees(0, 0, 1, 7), rescan, sees(0, 0, 1, 8)),
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
		},
		"a mismatch of the tail that is gone in the second scan": {
			history: steps(opens(0, 0), acks(0, 0, 1, 8), sees(0, 0, 1, 7), rescan),
			want: found{
				"offset_mismatches": {{
					Device: "d0", Partition: 1, Offset: 8, Note: "acknowledged there, read back from partition 1 at offset 7",
				}},
				"truncated": {{Device: "d0", Partition: 1, Offset: 7, Note: "read by the tail, absent from the second scan"}},
				"acked_lost": {{
					Device: "d0", Partition: 1, Offset: 7, Note: "acknowledged, read by the tail, absent from the second scan",
				}},
			},
			counts: Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
		},

		"acked twice": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), acks(0, 0, 1, 7), sees(0, 0, 1, 7), acks(0, 0, 1, 7)),
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
			problem: "close ledger of readings: acknowledge d0 #0: it has its outcome, or was never handed over",
		},
		"failed after it was acked": {
			history: steps(opens(0, 0), acks(0, 0, 1, 7), ends("failed", 0, 0), sees(0, 0, 1, 7)),
			counts:  Counts{Due: 1, Sent: 1, Acked: 1, Consumed: 1},
			problem: "close ledger of readings: fail d0 #0: it has its outcome, or was never handed over",
		},
		"unknown, but never opened": {
			history: steps(ends("unknown", 0, 0)),
			problem: "close ledger of readings: give up d0 #0: it has its outcome, or was never handed over",
		},
		"withdrawn after its outcome": {
			history: steps(opens(0, 0), ends("failed", 0, 0), ends("withdraw", 0, 0)),
			counts:  Counts{Due: 1, Sent: 1, Failed: 1},
			problem: "close ledger of readings: withdraw d0 #0: it has its outcome, or was never handed over",
		},
		"withdrawn, though not the last": {
			history: steps(opens(0, 0, 1), ends("withdraw", 0, 0)),
			counts:  Counts{Due: 2, Sent: 2, Unknown: 2},
			problem: "close ledger of readings: withdraw d0 #0: it is not the device's last",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := LedgerConfig{Name: "readings", Topic: "device-data", Devices: 8, Key: testKey, Expect: testExpect}
			if test.failover {
				config.Expect = nil
			}
			dated := make(map[string]int)
			config.Found = func(metric string, due time.Duration) {
				require.NotEqual(t, Never, due)
				dated[metric]++
			}
			l := NewLedger(config)
			l.Partitions(0, 0, 3)
			for _, s := range test.history {
				s.play(l)
			}
			stream, err := l.Close(test.ends)
			if test.problem == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, test.problem)
			}
			want := Stream{Name: "readings", Topic: "device-data", Counts: test.counts, Findings: make(map[string]Found)}
			wantDated := make(map[string]int)
			for f := range findingCount {
				offenders := test.want[f.String()]
				want.Findings[f.String()] = Found{Count: int64(len(offenders)), First: offenders}
				for _, o := range offenders {
					if o.Due != Never {
						wantDated[f.String()]++
					}
				}
			}
			require.Empty(t, cmp.Diff(want, stream, cmpopts.EquateEmpty()))
			require.Equal(t, wantDated, dated)
		})
	}
}
