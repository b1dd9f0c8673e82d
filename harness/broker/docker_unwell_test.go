package broker

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// daemon is a Docker daemon as far as a test says what it answers.
type daemon struct {
	client.APIClient
	inspect func(ctx context.Context) (container.InspectResponse, error)
}

func (d *daemon) ContainerInspect(ctx context.Context, _ string, _ client.ContainerInspectOptions) (client.ContainerInspectResult, error) {
	found, err := d.inspect(ctx)
	return client.ContainerInspectResult{Container: found}, err
}

func (d *daemon) ContainerStop(context.Context, string, client.ContainerStopOptions) (client.ContainerStopResult, error) {
	return client.ContainerStopResult{}, nil
}

// A daemon that has reported the end of a broker may hang from then on: a fault that stops one, and its healing, would hang
// with it.
func TestStopAsksNoMoreThanItNeeds(t *testing.T) {
	reports := []container.State{{Status: container.StateRunning}, {Status: container.StateExited, ExitCode: 137}}
	kafka := &docker{spec: Spec{Run: "mine"}, brokers: make([]dockerBroker, 1), daemon: &daemon{
		inspect: func(context.Context) (container.InspectResponse, error) {
			if len(reports) == 0 {
				return container.InspectResponse{}, errors.New("asked once too often")
			}
			state := reports[0]
			reports = reports[1:]
			return container.InspectResponse{
				State: &state, Config: &container.Config{Labels: map[string]string{runLabel: "mine"}}, NetworkSettings: &container.NetworkSettings{},
			}, nil
		},
	}}
	c := &Cluster{kafka: kafka, nodes: make([]Node, 1)}
	require.EqualError(t, c.Stop(t.Context(), 0, 0), "stop broker 1: it had not ended after 0s and was killed")
	assert.Empty(t, reports)
}
