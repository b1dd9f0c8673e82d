package broker_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// TestHold: what is held back is not in the log, and then it is.
func TestHold(t *testing.T) {
	cluster := start(t, 2, readings(2, 1))
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	require.NoError(t, cluster.Hold(func() {
		arrived <- struct{}{}
		<-release
	}))
	client := connect(t, cluster)
	produced := make(chan error, 1)
	go func() { produced <- produce(deadline(t), client, 0, "held") }()
	<-arrived
	assert.Equal(t, []int64{0, 0}, ends(t, cluster), "and everything else goes on")
	close(release)
	require.NoError(t, <-produced)
	assert.Equal(t, []int64{1, 0}, ends(t, cluster))
}

func TestObserve(t *testing.T) {
	cluster := start(t, 1, readings(1, 1))
	seen := make(chan int16, 10)
	require.NoError(t, cluster.Observe(func(request *kmsg.ProduceRequest) { seen <- request.Acks }))
	require.NoError(t, produce(deadline(t), connect(t, cluster), 0, "observed"))
	assert.Equal(t, int16(-1), <-seen)
	assert.Equal(t, []int64{1}, ends(t, cluster), "observed, not refused")
}

func TestOnlyEmbeddedIntercepts(t *testing.T) {
	cluster := new(broker.Cluster)
	require.EqualError(t, cluster.Hold(func() {}), "hold produce requests: only an embedded broker can")
	require.EqualError(t, cluster.Observe(func(*kmsg.ProduceRequest) {}), "observe produce requests: only an embedded broker can")
}
