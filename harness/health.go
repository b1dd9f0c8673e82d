package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// awaitHealthy waits until every partition has a leader and as many in-sync replicas as a write needs. A broker that has
// exited is not waited for: no fault has it down, and whatever the others do without it, nobody has asked for that.
func (rd *reader) awaitHealthy(ctx context.Context, timeout time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		var exited *broker.ExitedError
		for node := range rd.run.cluster.Nodes() {
			if errors.As(rd.run.cluster.Exited(waiting, node), &exited) {
				return fmt.Errorf("cluster is not healthy: %w", exited)
			}
		}
		ill := rd.ill(waiting)
		if ill == "" {
			return nil
		}
		if !wait(waiting, retryPause) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("cluster is not healthy after %s: %s", timeout, ill)
		}
	}
}

// ill names a partition that cannot be written to, or says why that could not be found out; empty: all is well.
func (rd *reader) ill(ctx context.Context) string {
	metadata, err := rd.admin.Metadata(ctx, rd.topicNames()...)
	if err != nil {
		return err.Error()
	}
	for _, topic := range rd.run.scenario.topics() {
		partitions := metadata.Topics[topic.Name].Partitions
		if len(partitions) < topic.Partitions {
			return fmt.Sprintf("%s has %d of %d partitions", topic.Name, len(partitions), topic.Partitions)
		}
		for _, detail := range partitions.Sorted() {
			if detail.Leader < 0 {
				return fmt.Sprintf("%s/%d has no leader", topic.Name, detail.Partition)
			}
			if len(detail.ISR) < topic.MinInsyncReplicas {
				return fmt.Sprintf("%s/%d has %d of %d in-sync replicas",
					topic.Name, detail.Partition, len(detail.ISR), topic.MinInsyncReplicas)
			}
		}
	}
	return ""
}
