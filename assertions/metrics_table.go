package assertions

// Metrics returns the table, in the order of the language's own.
func Metrics() []Metric {
	latency := []Aggregate{Percentile, Min, Mean, Max, Slope}
	process := []Aggregate{Max, Mean, Min, Slope}
	return []Metric{
		{
			Name: "due", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records that became due",
			Doc: "Every record has a due time on the load's absolute schedule, whether or not the harness and the client kept " +
				"up with it. Due = sent + shed + unsent, which every verdict checks. Repeated records (delivery.duplicate) " +
				"are part of it; withheld readings (delivery.missing) are not. It counts the readings, not the alerts, as do " +
				"all the record states.",
			figure: counter(func(c *Counts) int64 { return c.Due }),
		},
		{
			Name: "sent", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records handed over to the client",
			Doc: "A record is sent when the producer under test accepted it, which is no statement about the wire. Sent = " +
				"acked + failed + unknown.",
			figure: counter(func(c *Counts) int64 { return c.Sent }),
		},
		{
			Name: "acked", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records the client reported as stored",
			Doc: "An acknowledgement is a claim, not proof: acked_lost holds it against the log. With acks=0 it means no more " +
				"than that the record was written to a socket.",
			figure: counter(func(c *Counts) int64 { return c.Acked }),
		},
		{
			Name: "failed", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records that are certainly not stored",
			Doc: "Only a short list of errors counts as failed: what the client refused on its own, and what the broker " +
				"refused in a run without any connection, leadership or timeout trouble before. Whatever else came back as an " +
				"error is unknown, because an error is not absence. Their age counts into ack_latency and send_latency.",
			figure: counter(func(c *Counts) int64 { return c.Failed }),
		},
		{
			Name: "unknown", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records that may or may not be stored",
			Doc: "The client gave up on them, or gave no outcome before the run ended: timeouts, broken connections, lost " +
				"leaders. They may well be in the log. Their age counts into ack_latency and send_latency.",
			figure: counter(func(c *Counts) int64 { return c.Unknown }),
		},
		{
			Name: "consumed", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records read back",
			Doc: "Every record that the oracle, a client other than the one under test, read from the topic. Duplicates count " +
				"each time, so it may exceed sent.",
			figure: counter(func(c *Counts) int64 { return c.Consumed }),
		},
		{
			Name: "unsent", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records whose turn never came",
			Doc: "They were due, and the run ended before they were handed over: the client blocked, the generator was behind, " +
				"or the run was interrupted. They take no sequence number. They lower success_rate and achieved_rate, and " +
				"their age counts into ack_latency and schedule_lag.",
			figure: counter(func(c *Counts) int64 { return c.Unsent }),
		},
		{
			Name: "shed", Unit: "records", kind: count, scopes: anywhere,
			Summary: "records dropped on purpose",
			Doc: "Back-pressure, a limiter or an open circuit breaker dropped them before they reached the client. They take " +
				"no sequence number.",
			figure: counter(func(c *Counts) int64 { return c.Shed }),
		},
		{
			Name: ackedLost.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "acknowledged records that are not in the log",
			Doc: "The one promise nobody may break. A record counts when the client reported it as stored and the oracle read " +
				"its partition to the end without meeting it. After faults that hurt brokers it is taken from a second scan " +
				"of the whole log. It is promised where the topic survives what the faults take away, or where no fault can " +
				"move a leader; never with acks=0. In a run whose load was interrupted what was found stands, as for every finding; " +
				"that nothing was found says nothing about what was not played, and is inconclusive. Alerts count too.",
			figure: tallied(ackedLost),
		},
		{
			Name: duplicates.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "records stored more than once",
			Doc: "Each further sighting of the same device, session and sequence number counts once. An idempotent producer " +
				"promises none; others promise none as long as nothing is tried again, which a client has to be able to tell. Records repeated on purpose " +
				"(delivery.duplicate) are records of their own and never count. Alerts count too.",
			figure: tallied(duplicates),
		},
		{
			Name: reordered.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "records stored out of their device's order",
			Doc: "Within a partition and a producer session, the first occurrences of a device's records must come in the " +
				"order in which they were sent. Order means send sequence, not event time. An idempotent producer promises " +
				"it. Alerts count too.",
			figure: tallied(reordered),
		},
		{
			Name: affinitySplits.String(), Unit: "devices", kind: count, scopes: anywhere,
			Summary: "devices whose records went to more than one partition",
			Doc: "A key must stay on its partition unless the number of partitions changed or the partitioner fails over by " +
				"declaration: without that, order across a device's records is lost. Every keyed partitioner promises it. " +
				"Alerts count too.",
			figure: tallied(affinitySplits),
		},
		{
			Name: wrongPartition.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "records in another partition than their key's",
			Doc: "The expected partition is computed by fleetproof's own pure function for the named partitioner, for every " +
				"number of partitions the topic had between due time and reading back. It is refused for partitioners that " +
				"promise no partition. Alerts count too.",
			figure: tallied(wrongPartition),
		},
		{
			Name: phantoms.String(), Unit: "records", kind: count, scopes: entirety,
			Summary: "records in the log that this run did not send",
			Doc: "They carry no identity of this run: no header, another run's, or a sequence number never handed over. As " +
				"they have no due time, they are counted for the whole run only. Alerts count too.",
			figure: tallied(phantoms),
		},
		{
			Name: corrupt.String(), Unit: "records", kind: count, scopes: entirety,
			Summary: "records whose bytes changed on the way",
			Doc: "The checksum in the header differs from that of key and payload, or the header itself cannot be read. As " +
				"such a record's due time cannot be relied on, they are counted for the whole run only. Alerts count too.",
			figure: tallied(corrupt),
		},
		{
			Name: offsetMismatches.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "acknowledged positions that hold another record",
			Doc: "The acknowledgement names a partition and an offset; the record was read from elsewhere, or was not read at all " +
				"while another record was read there. So it is, too, where the offset is below zero, other than the −1 of an " +
				"acknowledgement that tells none. Acknowledgements " +
				"without an offset (Kafka's answer to a batch it already has) cannot be compared: they are no samples, and where " +
				"none told an offset there is no data, so that it is inconclusive. It has no meaning with acks=0. Alerts count too.",
			figure: tallied(offsetMismatches),
		},
		{
			Name: failedButStored.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "records reported as failed that are in the log",
			Doc: "Failed is only said of what is certainly not stored, so a stored one means that the client, or its adapter, " +
				"lied: the sender would have sent it again. Always promised. Alerts count too.",
			figure: tallied(failedButStored),
		},
		{
			Name: truncated.String(), Unit: "records", kind: count, scopes: anywhere,
			Summary: "records that were readable and then gone",
			Doc: "The oracle read them during the run, and the second scan of the whole log does not hold them: consumers " +
				"acted on records that no longer exist. Without a second scan (oracle.rescan) there is nothing to compare: " +
				"it is not promised then, and inconclusive where it is stated. With one it is promised as acked_lost is. Alerts " +
				"count too.",
			figure: tallied(truncated),
		},
		{
			Name: metricSuccessRate, Unit: "ratio", kind: share, scopes: anywhere, timed: true,
			Summary: "acked ÷ due",
			Doc: "The share of the records due that the client reported as stored, whenever that was. What was shed, never " +
				"sent, failed or unknown lowers it. Without a scope it covers the judged stages. It has no meaning with " +
				"acks=0, where it is refused.",
			figure: succeeded,
		},
		{
			Name: "achieved_rate", Unit: "ratio", kind: share, scopes: anywhere, timed: true,
			Summary: "handed over in time ÷ due",
			Doc: "The share of the records due in the scope that were handed over before the scope's end: catching up later " +
				"does not count. Below oracle.achieved_floor the load was not the one that was asked for. Where the machine had no " +
				"processor time to spare, or nobody knows, or the generator itself was late, no rate or latency is judged then, this one " +
				"included; where it had, the shortfall is the client's, and all are. The scope's end is that of its last slice: exact for stages and " +
				"anomalies, at whose borders slices are cut, and up to the end of the second for a fault.",
			figure: achievedRate,
		},
		{
			Name: "throughput", Unit: "records/s", kind: rate, scopes: anywhere, timed: true,
			Summary: "acknowledged records per second",
			Doc: "Records due in the scope that were acknowledged, divided by the scope's length. Since it follows due times " +
				"it cannot exceed the load; a backlog that is worked off later counts where it was due.",
			figure: throughput(func(s *Slice) int64 { return s.Acked }, rate),
		},
		{
			Name: "bytes_rate", Unit: "B/s", kind: sizeRate, scopes: anywhere, timed: true,
			Summary: "acknowledged payload bytes per second",
			Doc:     "As throughput, in bytes of payload: without keys, headers, batching and compression.",
			figure:  throughput(func(s *Slice) int64 { return s.Bytes }, sizeRate),
		},
		{
			Name: metricScheduleLag, Unit: "s", kind: duration, scopes: anywhere, timed: true, Aggregates: latency,
			Summary: "from due until handed over",
			Doc: "How far behind its schedule a record was when the client had accepted it. It contains the time the client " +
				"blocked, see blocked; what is left is the generator's own. Records never handed over count as at least as late " +
				"as they were at the end. Judged from histograms of three digits, 1 µs to 1 " +
				"h, of two in runs of hours with hundreds of faults; a percentile q needs 3 ÷ (1 − q) samples. " + latencySlopeDoc,
			figure: latencyOf(metricScheduleLag),
		},
		{
			Name: metricBlocked, Unit: "s", kind: duration, scopes: anywhere, timed: true, Aggregates: latency,
			Summary: "time spent waiting inside Send",
			Doc: "A client whose buffers are full makes its caller wait. That wait is the client's, not the generator's, and a " +
				"device would feel it. A percentile q needs 3 ÷ (1 − q) samples. " + latencySlopeDoc,
			figure: latencyOf(metricBlocked),
		},
		{
			Name: metricSendLatency, Unit: "s", kind: duration, scopes: anywhere, timed: true, Aggregates: latency,
			Summary: "from the call of Send until acknowledged",
			Doc: "What the client and the broker took, without the wait before. It is counted from the call of Send to the " +
				"acknowledgement, so it contains the time that this call blocked. It flatters a system that makes its callers " +
				"wait, since the records that queue up behind a blocked call have not been sent yet: prefer ack_latency. Records " +
				"that were handed over and never acknowledged count as at least as old as they were when they were given up. A " +
				"percentile q needs 3 ÷ (1 − q) samples. " + latencySlopeDoc,
			figure: latencyOf(metricSendLatency),
		},
		{
			Name: metricAckLatency, Unit: "s", kind: duration, scopes: anywhere, timed: true, Aggregates: latency,
			Summary: "from due until acknowledged",
			Doc: "The latency without coordinated omission: from when a record was due, not from when it got its turn. Records " +
				"never acknowledged, those never handed over among them, count as at least as old as they were when they were " +
				"given up. Warm-up stages are left out unless they " +
				"are named. A percentile q needs 3 ÷ (1 − q) samples: p99 needs 300, p99.9 needs 3,000. " + latencySlopeDoc,
			figure: latencyOf(metricAckLatency),
		},
		{
			Name: metricE2eLatency, Unit: "s", kind: duration, scopes: anywhere, timed: true, Aggregates: latency,
			Summary: "from due until read back",
			Doc: "As ack_latency, until the oracle's poll returned the record. The oracle reads live, around every fault, and " +
				"waits at most 100 ms for a fetch, so its own share is small but not nothing. Records never read back are not " +
				"in it: acked_lost and unknown tell of them. A percentile q needs 3 ÷ (1 − q) samples. " + latencySlopeDoc,
			figure: latencyOf(metricE2eLatency),
		},
		{
			Name: "availability_gap", Unit: "s", kind: duration, scopes: anywhere, timed: true,
			Summary: "longest time without an acknowledgement",
			Doc: "The worst over the partitions that had records due: how long records of one were waiting while none was " +
				"acknowledged. Records that failed, were given up or were never handed over wait, too; those of which nobody can " +
				"tell the partition wait until one of any partition is acknowledged. A gap belongs to every phase it touches, with its full length; outside faults only gaps count " +
				"that touch no fault.",
			figure: availabilityGap,
		},
		{
			Name: metricRecoveryTime, Unit: "s", kind: duration, scopes: afterFaults,
			Summary: "from healing until the objective held again",
			Doc: "From the moment at which a fault's healing was proven until a record handed over afterwards was " +
				"acknowledged, and until every objective stated as \"within … after fault NAME\" held again, to stay so until " +
				"the next fault or the end of the load. An objective is held against slices of the time in which records were " +
				"due: of a second, and of a tenth of one in the first second after the planned healing. A slice that misses it counts " +
				"to its end, also the one in which the fault was healed: whether that missed it before or after the healing " +
				"is not known, so a limit within it is inconclusive. Without a scope it is the worst over all faults, and of a " +
				"fault that is repeated always the worst over its repetitions.",
			figure: recovered,
		},
		{
			Name: "partition_skew", Unit: "ratio", kind: ratio, scopes: entirety,
			Summary: "most loaded partition ÷ mean partition",
			Doc: "Taken from how far each partition of the readings topic was read back, which is its number of records. For " +
				"24 partitions about 1.05 with 10,000 devices and 1.2 to 1.7 with 100: keys are few, and hashing spreads them no " +
				"better than chance. The plan shows what the fleet gives.",
			figure: partitionSkew,
		},
		{
			Name: "anomalies.NAME.injected", Unit: "readings", kind: count, scopes: entirety,
			Summary: "labelled readings handed over",
			Doc: "The ground truth: readings that the generator made part of the anomaly and handed over to the client, whether " +
				"or not they came back.",
			figure: anomalyInjected,
		},
		{
			Name: "anomalies.NAME.detected", Unit: "ratio", kind: share, scopes: entirety,
			Summary: "affected devices on which the anomaly was found",
			Doc: "Of the devices with a labelled reading handed over, the share on which a detector for this kind of anomaly " +
				"fired in what was read back: a reading that got lost on the way lowers it. The detector sees the decoded " +
				"values only, never the label: what it finds survived the whole way unchanged. Its " +
				"limits are chosen so that a healthy sensor sets it off in fewer than one of a hundred windows of a hundred " +
				"readings.",
			figure: anomalyDetected,
		},
		{
			Name: "alerts.missing", Unit: "records", kind: count, scopes: entirety,
			Summary: "readings beyond their error threshold without an alert",
			Doc: "Of the readings read back that lie beyond an error threshold, those whose alert was not read back from the " +
				"alerts topic. With no such reading there is nothing to be proven.",
			figure: alertsMissing,
		},
		{
			Name: "alerts.spurious", Unit: "records", kind: count, scopes: entirety,
			Summary: "alerts without a reading beyond its error threshold",
			Doc:     "Alerts read back for which no reading beyond its error threshold was read back.",
			figure:  alertsSpurious,
		},
		{
			Name: "faults.NAME.hits", Unit: "hits", kind: count, scopes: entirety,
			Summary: "what the fault touched",
			Doc: "Connections refused, responses swallowed, operations delayed: the fault's kind says what is counted. A fault " +
				"without hits was none and makes the run inconclusive. Of a fault that is repeated they are those of all its " +
				"repetitions, of which none may be without.",
			figure: faultHits,
		},
		{
			Name: "faults.NAME.proven", Unit: "ratio", kind: share, scopes: entirety,
			Summary: "whether the fault's effect was seen",
			Doc: "100% (or 1) when the effect was seen and the fault touched something, 0% (or 0) when not. A fault that is " +
				"not proven makes the run inconclusive by itself; stated as an expectation (== 100%) it fails. Of a fault that is " +
				"repeated it is the share of its repetitions of which that is so.",
			figure: faultProven,
		},
		{
			Name: "cpu", Unit: "cores", kind: ratio, scopes: stretches, Aggregates: process,
			Summary: "processor time of the harness, in cores",
			Doc: "The harness process with everything in it: generator, client under test, oracle, and the broker when it is " +
				"embedded. 1 is one core, as is 100%. " +
				slopeDoc,
			figure: sampled(func(s *Sample) *float64 { return s.CPU }),
		},
		{
			Name: "rss", Unit: "B", kind: size, scopes: stretches, Aggregates: process,
			Summary: "resident memory of the harness",
			Doc: "What the operating system holds in memory for the harness process. " +
				slopeDoc,
			figure: sampled(func(s *Sample) *int64 { return s.RSS }),
		},
		{
			Name: "heap", Unit: "B", kind: size, scopes: stretches, Aggregates: process,
			Summary: "heap of the harness",
			Doc: "Bytes of heap objects, live or not yet swept: a sawtooth between garbage collections. " +
				slopeDoc,
			figure: sampled(func(s *Sample) *int64 { return &s.Heap }),
		},
		{
			Name: "goroutines", Unit: "goroutines", kind: count, scopes: stretches, Aggregates: process,
			Summary: "goroutines of the harness",
			Doc: "A number that grows with the length of the run is a leak. " +
				slopeDoc,
			figure: sampled(func(s *Sample) *int64 { return &s.Goroutines }),
		},
		{
			Name: "open_files", Unit: "files", kind: count, scopes: stretches, Aggregates: process,
			Summary: "open files and sockets of the harness",
			Doc: "A number that grows with the length of the run is a leak. " +
				slopeDoc,
			figure: sampled(func(s *Sample) *int64 { return s.OpenFiles }),
		},
	}
}

const (
	metricSuccessRate  = "success_rate"
	metricRecoveryTime = "recovery_time"
)

// How a slope is taken, of every metric of the process and of every latency.
const (
	slopeDoc = "Sampled once a second, in runs of more than an hour 3,600 times in all, over the whole run unless a scope is " +
		"given. Its slope is the change per hour, of the minima of 20 equal stretches of the scope: " + theilSenDoc +
		" Where the machine did not keep up with the load it proves nothing: what waits takes memory."
	latencySlopeDoc = "Its slope is the change per hour, as in 50ms/h, of the minima in 20 equal stretches of the scope, of " +
		"p99s of a second or more each: " + theilSenDoc
	theilSenDoc = "the median slope between any two of them (Theil–Sen), which neither a sawtooth nor a single jump moves. It " +
		"needs oracle.slope_length, and is inconclusive where its 99% confidence interval holds the limit."
)
