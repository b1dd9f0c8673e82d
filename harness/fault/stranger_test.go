package fault

import (
	"context"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// stranger is a container of somebody else, which sleeps.
type stranger struct {
	daemon *client.Client
	id     string
}

func newStranger(t *testing.T, daemon *client.Client) stranger {
	t.Helper()
	created, err := daemon.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: dockertest.Image, Entrypoint: []string{"sleep"}, Cmd: []string{"1800"}, Labels: map[string]string{"fleetproof": "no"}},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := daemon.ContainerRemove(context.Background(), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		require.NoError(t, err)
	})
	_, err = daemon.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{})
	require.NoError(t, err)
	return stranger{daemon, created.ID}
}

// requireUntouched fails when it does not run as it always has.
func (s stranger) requireUntouched(t *testing.T) {
	t.Helper()
	found, err := s.daemon.ContainerInspect(t.Context(), s.id, client.ContainerInspectOptions{})
	require.NoError(t, err)
	assert.Equal(t, container.StateRunning, found.Container.State.Status)
	assert.Zero(t, found.Container.RestartCount)
	assert.Len(t, found.Container.NetworkSettings.Networks, 1)
}
