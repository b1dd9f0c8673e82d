package harness

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fleetproof/fleetproof/producer"
)

// instant is a client that takes everything and forgets it.
type instant struct {
	outcome func(producer.Outcome)
	sent    atomic.Int64
}

func (i *instant) Send(_ context.Context, record *producer.Record) error {
	i.sent.Add(1)
	i.outcome(producer.Outcome{Record: record, State: producer.Unknown, Partition: -1, Offset: producer.OffsetUnset})
	return nil
}

func (i *instant) Flush(context.Context) error { return nil }
func (i *instant) Close(context.Context) error { return nil }
func (i *instant) Stats() producer.Stats       { return producer.Stats{} }

// BenchmarkOpenLoop plays 100,000 records a second for five seconds into a client that costs nothing: what the run keeps
// of the schedule is the harness's own doing. It reports the share of the records that were handed over before their
// slice was over, and the records of each run.
func BenchmarkOpenLoop(b *testing.B) {
	text := strings.NewReplacer("devices: 20", "devices: 10000", "for: 1s", "for: 5s", "1000/s", "100000/s").Replace(plainScenario)
	scenario, err := Parse("bench.yaml", []byte(text), Overrides{Expect: []string{"achieved_rate >= 99%"}})
	if err != nil {
		b.Fatal(err)
	}
	var sent, share float64
	for b.Loop() {
		client := new(instant)
		result, err := Run(b.Context(), scenario, Options{
			Producers: only(func(_ context.Context, _ producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
				client.outcome = outcome
				return client, nil
			}),
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, judged := range result.Expectations {
			if judged.Expectation == "achieved_rate >= 99%" && judged.Got != nil {
				share += *judged.Got
			}
		}
		sent += float64(client.sent.Load())
	}
	b.ReportMetric(share/float64(b.N), "achieved/target")
	b.ReportMetric(sent/float64(b.N), "records/op")
}
