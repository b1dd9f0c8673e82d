package assertions

import (
	"fmt"
	"math"
)

// partitionSkew is the metric partition_skew.
func partitionSkew(j *judge, p phase, _ Expectation) (value, error) {
	var total int64
	var most PartitionCount
	for _, partition := range j.Partitions {
		total += partition.Consumed
		if partition.Consumed > most.Consumed {
			most = partition
		}
	}
	if total == 0 {
		return absent("no record was read back from any partition"), nil
	}
	mean := float64(total) / float64(len(j.Partitions))
	v := certain(float64(most.Consumed)/mean, total)
	v.place = fmt.Sprintf("partition %d holds %s records, the mean of %d partitions is %s",
		most.Partition, grouped(most.Consumed), len(j.Partitions), grouped(int64(math.Round(mean))))
	return j.unfinished(p, j.unread(v, 1, math.Inf(1)), 1, math.Inf(1)), nil
}

// anomalyInjected is the metric anomalies.NAME.injected. The generator knows it, whatever was read back.
func anomalyInjected(j *judge, _ phase, e Expectation) (value, error) {
	sent, anomaly := j.Streams[0].Counts.Sent, j.anomaly(e.Name)
	if sent == 0 {
		return absent("no record was handed over"), nil
	}
	v := certain(float64(anomaly.Injected), sent)
	v.of = " of " + grouped(sent)
	return j.unfinished(j.stretch("", anomaly.Span), v, v.got, math.Inf(1)), nil
}

// anomalyDetected is the metric anomalies.NAME.detected.
func anomalyDetected(j *judge, _ phase, e Expectation) (value, error) {
	anomaly := j.anomaly(e.Name)
	if anomaly.Devices == 0 {
		return absent("no reading of anomaly %s was handed over", anomaly.Name), nil
	}
	v := certain(float64(anomaly.Detected)/float64(anomaly.Devices), anomaly.Devices)
	v.of = " (" + grouped(anomaly.Detected) + " of " + grouped(anomaly.Devices) + " devices)"
	return j.unfinished(j.stretch("", anomaly.Span), j.unread(v, 0, 1), 0, 1), nil
}

// alertsMissing is the metric alerts.missing.
func alertsMissing(j *judge, p phase, _ Expectation) (value, error) {
	if j.Alerts == nil || j.Alerts.Due == 0 {
		return absent("no reading beyond its error threshold was read back"), nil
	}
	v := certain(float64(j.Alerts.Missing), j.Alerts.Due)
	v.of = " of " + grouped(j.Alerts.Due)
	return j.unfinished(p, j.unread(v, 0, math.Inf(1)), v.got, math.Inf(1)), nil
}

// alertsSpurious is the metric alerts.spurious.
func alertsSpurious(j *judge, p phase, _ Expectation) (value, error) {
	consumed := j.Streams[0].Counts.Consumed
	if j.Alerts == nil || consumed == 0 && j.Alerts.Spurious == 0 {
		return absent("no record was read back"), nil
	}
	v := certain(float64(j.Alerts.Spurious), consumed)
	return j.unfinished(p, j.unread(v, 0, math.Inf(1)), v.got, math.Inf(1)), nil
}

// faultHits is the metric faults.NAME.hits: of all its repetitions together.
func faultHits(j *judge, _ phase, e Expectation) (value, error) {
	p := j.duringFault(e.Name)
	if p.nothing != "" {
		return absent("%s", p.nothing), nil
	}
	lives := j.lives(e.Name)
	var hits int64
	for _, fault := range lives {
		hits += fault.Hits
	}
	v := certain(float64(hits), hits)
	v.place = lives[0].Proof
	return j.unfinished(p, v, v.got, math.Inf(1)), nil
}

// faultProven is the metric faults.NAME.proven: the share of its repetitions that bit.
func faultProven(j *judge, _ phase, e Expectation) (value, error) {
	p := j.duringFault(e.Name)
	if p.nothing != "" {
		return absent("%s", p.nothing), nil
	}
	lives := j.lives(e.Name)
	var proven, hits int64
	var without []Fault
	for _, fault := range lives {
		hits += fault.Hits
		if fault.Proven() {
			proven++
		} else {
			without = append(without, fault)
		}
	}
	v := certain(float64(proven)/float64(len(lives)), hits)
	if len(without) == 0 {
		return v, nil
	}
	v.place = "its effect was not seen" + among(without, lives)
	return j.unfinished(p, v, v.got, 1), nil
}
