package fault

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// needDocker is the Docker daemon, for as long as the test has it to itself.
func needDocker(t *testing.T) *client.Client {
	t.Helper()
	dockertest.Need(t)
	daemon, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, daemon.Close()) })
	return daemon
}

// dockerSpec is a small cluster of a run of its own.
func dockerSpec(brokers int) broker.Spec {
	return broker.Spec{Kind: broker.Docker, Brokers: brokers, Image: dockertest.Image, Heap: 384 << 20, Run: fmt.Sprintf("test%08x", rand.Uint32())}
}
