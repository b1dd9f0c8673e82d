// Command control plays the load of a scenario and verifies nothing. It is what fleetproof is measured against:
//
//	control -set load.stages.hold.rate=100000/s throughput.yaml
//
// It takes the scenario's broker, topic, fleets, client settings and stages, by the same code as fleetproof, and sends
// payloads that the scenario's own generator made before the clock started, under the fleet's keys, on the schedule of the
// stages. There is no generator in the loop, no ledger, no histogram of the oracle's, no judge, and no memory that is used
// again: every message is allocated, as in any program's loop around Sarama. Records carry no header, since the header is
// there to verify; -header gives them one of the size of fleetproof's. What was written is read back with franz-go under the
// harness's own settings and thrown away, since the broker's and the reader's work would be there without any verification
// too.
//
// It prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	client "github.com/IBM/sarama"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// outcome is what is printed. Latencies are in seconds, from when a record was due.
type outcome struct {
	Due         int64      `json:"due"`          // of the stages that are judged
	Achieved    float64    `json:"achieved"`     // share of due that was handed over before the load ended
	Acked       int64      `json:"acked"`        // of all stages, as are the next three
	Failed      int64      `json:"failed"`       //
	Unread      int64      `json:"unread"`       // when the load ended
	Consumed    int64      `json:"consumed"`     //
	Seconds     float64    `json:"seconds"`      // from the first record to the last acknowledgement
	LagP50      float64    `json:"lag_p50"`      // due to handed over
	LagP99      float64    `json:"lag_p99"`      //
	AckP50      float64    `json:"ack_p50"`      // due to acknowledged
	AckP99      float64    `json:"ack_p99"`      //
	AckThirds   [3]float64 `json:"ack_thirds"`   // medians, of the records due in each third of the stages that are judged
	PrepareCPU  float64    `json:"prepare_cpu"`  // seconds that preparing the payloads took before there was load
	LoadCPU     float64    `json:"load_cpu"`     // seconds of all cores while there was load
	RSS         int64      `json:"rss"`          // most bytes resident
	PayloadSize float64    `json:"payload_size"` // mean bytes
}

type options struct {
	file   string
	set    []string
	header bool
}

func main() {
	var o options
	flag.Func("set", "override a value of the scenario, as in fleetproof; may be repeated", func(text string) error {
		o.set = append(o.set, text)
		return nil
	})
	flag.BoolVar(&o.header, "header", false, "give each record a header of 33 bytes, as fleetproof's mostly has")
	flag.Parse()
	o.file = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := play(ctx, o)
	stop() // not before: a second signal must not keep a broker in Docker from being removed
	if err != nil {
		fmt.Fprintf(os.Stderr, "control: %s\n", err)
		os.Exit(1)
	}
}

// play starts the broker, sends, drains, and prints.
func play(ctx context.Context, o options) (err error) {
	scenario, err := harness.Load(o.file, harness.Overrides{Set: o.set, Env: os.LookupEnv})
	if err != nil {
		return err
	}
	scenario.Broker.Run = fmt.Sprintf("%x", time.Now().UnixNano())
	scenario.Broker.Allowed = scenario.Broker.Kind == broker.External
	topic := scenario.Topic
	topic.Name = scenario.Broker.TopicName(topic.Name)
	starting, cancel := context.WithTimeout(ctx, scenario.Oracle.StartTimeout)
	defer cancel()
	cluster, err := broker.Start(starting, scenario.Broker, []broker.Topic{topic}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close(ctx)) }() // which it does also when ctx has ended
	reader, err := newReader(cluster, topic.Name)
	if err != nil {
		return err
	}
	defer reader.close()

	config := scenario.Producer
	config.Bootstrap = cluster.Bootstrap()
	settings, err := sarama.Settings(config)
	if err != nil {
		return err
	}
	async, err := client.NewAsyncProducer(config.Bootstrap, settings)
	if err != nil {
		return err
	}
	s := newSender(scenario, topic.Name, async, o.header)
	go reader.read(ctx)
	result, err := s.send(ctx, reader)
	if err != nil {
		return err
	}
	if err := reader.await(ctx, result.Acked, scenario.Oracle.ReadTimeout); err != nil {
		return err
	}
	result.Consumed = reader.consumed.Load()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	result.RSS = usage.Maxrss << 10
	return json.NewEncoder(os.Stdout).Encode(result)
}
