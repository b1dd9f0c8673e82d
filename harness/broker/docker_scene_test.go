package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// DockerSpec is a small cluster of a run of its own.
func DockerSpec(brokers int) Spec {
	return Spec{Kind: Docker, Brokers: brokers, Image: dockertest.Image, Heap: 384 << 20, Run: fmt.Sprintf("test%08x", rand.Uint32())}
}

// NothingLeft fails when something with the label of a run remains in Docker.
func NothingLeft(t testing.TB, run string) {
	t.Helper()
	daemon := openForTest(t)
	left, err := findLabelled(context.Background(), daemon, runLabel+"="+run) // the test may be over
	require.NoError(t, err)
	require.Empty(t, left)
}

func openForTest(t testing.TB) client.APIClient {
	t.Helper()
	daemon, err := openDaemon(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, daemon.Close()) })
	return daemon
}
