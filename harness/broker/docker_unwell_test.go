package broker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unwell is a Docker daemon that never answers one of its methods. It has one container, which is being removed as long as
// a test does not say otherwise, and no image.
type unwell struct {
	client.APIClient
	silent string // the method
	labels map[string]string
	look   func() (container.State, error) // nil: the container is being removed
}

// answer waits for ctx where the daemon does not answer.
func (u unwell) answer(ctx context.Context, method string) error {
	if method != u.silent {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (u unwell) ContainerList(ctx context.Context, _ client.ContainerListOptions) (client.ContainerListResult, error) {
	found := container.Summary{ID: "0123456789abcdef", Labels: u.labels, State: container.StateRemoving}
	return client.ContainerListResult{Items: []container.Summary{found}}, u.answer(ctx, "ContainerList")
}

func (u unwell) NetworkList(context.Context, client.NetworkListOptions) (client.NetworkListResult, error) {
	return client.NetworkListResult{}, nil
}

func (u unwell) VolumeList(context.Context, client.VolumeListOptions) (client.VolumeListResult, error) {
	return client.VolumeListResult{}, nil
}

func (u unwell) ContainerRemove(context.Context, string, client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	return client.ContainerRemoveResult{}, errdefs.ErrConflict
}

func (u unwell) ContainerStop(context.Context, string, client.ContainerStopOptions) (client.ContainerStopResult, error) {
	return client.ContainerStopResult{}, nil
}

func (u unwell) ContainerInspect(context.Context, string, client.ContainerInspectOptions) (client.ContainerInspectResult, error) {
	state, err := container.State{Status: container.StateRemoving}, error(nil)
	if u.look != nil {
		state, err = u.look()
	}
	return client.ContainerInspectResult{Container: container.InspectResponse{
		State: &state, Config: &container.Config{Labels: u.labels}, NetworkSettings: &container.NetworkSettings{},
	}}, err
}

func (u unwell) ImageInspect(ctx context.Context, _ string, _ ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	if err := u.answer(ctx, "ImageInspect"); err != nil {
		return client.ImageInspectResult{}, err
	}
	return client.ImageInspectResult{}, errdefs.ErrNotFound
}

func (u unwell) ImagePull(ctx context.Context, _ string, _ client.ImagePullOptions) (client.ImagePullResponse, error) {
	return nil, u.answer(ctx, "ImagePull")
}

func (u unwell) Info(ctx context.Context, _ client.InfoOptions) (client.SystemInfoResult, error) {
	return client.SystemInfoResult{}, u.answer(ctx, "Info")
}

// A run has no deadline for its start: each step of it has one of its own.
func TestStartWithAnUnwellDaemon(t *testing.T) {
	dead := ended(t)
	swept := func(ctx context.Context, daemon client.APIClient) error {
		return sweep(ctx, daemon, self(), time.Now())
	}
	const daemon = "context deadline exceeded: see whether docker info answers, and restart the daemon where it does not"
	tests := []struct {
		name, silent string
		step         func(ctx context.Context, daemon client.APIClient) error
		want         string
	}{
		{"looking for what is left", "ContainerList", swept, "look for what earlier runs left in Docker: not done within 30s: " + daemon},
		{
			"removing what is left", "", swept, "remove what run crashed left in Docker: not done within 45s: " +
				"wait until container 0123456789ab, which is being removed, is gone: context deadline exceeded: " +
				"restart the Docker daemon if docker ps -a --filter label=fleetproof.run=crashed still shows any",
		},
		{
			"looking at the image", "ImageInspect", func(ctx context.Context, daemon client.APIClient) error {
				_, err := pullImage(ctx, daemon, "kafka")
				return err
			}, "look at image kafka: not done within 30s: " + daemon,
		},
		{
			"pulling the image", "ImagePull", func(ctx context.Context, daemon client.APIClient) error {
				_, err := pullImage(ctx, daemon, "kafka")
				return err
			}, "pull image kafka: not done within 15m0s: context deadline exceeded: docker pull has no such limit: " +
				"connect to a registry that has it, load it with docker load, or name an image of docker images",
		},
		{
			"looking at Docker", "Info", func(ctx context.Context, daemon client.APIClient) error {
				_, err := sharesHost(ctx, daemon)
				return err
			}, "look at Docker: not done within 30s: " + daemon,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := test.step(t.Context(), unwell{silent: test.silent, labels: map[string]string{runLabel: "crashed", ownerLabel: dead.String()}})
				require.EqualError(t, err, test.want)
			})
		})
	}
}

// A daemon that has reported the end of a broker may hang from then on: the fault that stopped it, and its healing, would
// hang too.
func TestStopAsksNoMoreThanItNeeds(t *testing.T) {
	reports := []container.State{{Status: container.StateRunning}, {Status: container.StateExited, ExitCode: 137}}
	daemon := unwell{labels: map[string]string{runLabel: "mine"}, look: func() (state container.State, err error) {
		if len(reports) == 0 {
			return state, errors.New("asked once too often")
		}
		state, reports = reports[0], reports[1:]
		return state, nil
	}}
	c := &Cluster{kafka: &docker{daemon: daemon, spec: Spec{Run: "mine"}, brokers: make([]dockerBroker, 1)}, nodes: make([]Node, 1)}
	require.EqualError(t, c.Stop(t.Context(), 0, 0), "stop broker 1: it had not ended after 0s and was killed")
	assert.Empty(t, reports)
}
