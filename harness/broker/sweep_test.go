package broker

import (
	"context"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// Bystander is a container that has nothing to do with Kafka, and sleeps.
type Bystander struct {
	daemon client.APIClient
	id     string
}

// Stranger starts a container of another run, which this process owns too.
func Stranger(t *testing.T) Bystander {
	t.Helper()
	return bystander(t, map[string]string{runLabel: "stranger", ownerLabel: self().String(), createdLabel: time.Now().Format(time.RFC3339)})
}

func bystander(t *testing.T, labels map[string]string) Bystander {
	t.Helper()
	daemon := openForTest(t)
	created, err := daemon.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: dockertest.Image, Entrypoint: []string{"sleep"}, Cmd: []string{"600"}, Labels: labels},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := daemon.ContainerRemove(context.Background(), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		require.NoError(t, unlessGone(err))
	})
	_, err = daemon.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{})
	require.NoError(t, err)
	return Bystander{daemon, created.ID}
}

// Lives fails when the container does not run.
func (b Bystander) Lives(t *testing.T) {
	t.Helper()
	found, err := b.daemon.ContainerInspect(t.Context(), b.id, client.ContainerInspectOptions{})
	require.NoError(t, err)
	assert.Equal(t, container.StateRunning, found.Container.State.Status)
}

func (b Bystander) gone(t *testing.T) {
	t.Helper()
	_, err := b.daemon.ContainerInspect(t.Context(), b.id, client.ContainerInspectOptions{})
	require.NoError(t, unlessGone(err))
	require.Error(t, err, "it is still there")
}

func TestSweep(t *testing.T) {
	dockertest.Need(t)
	daemon := openForTest(t)
	ago := func(age time.Duration) string { return time.Now().Add(-age).Format(time.RFC3339) }
	labels := func(run string, by owner, age time.Duration) map[string]string {
		return map[string]string{runLabel: run, ownerLabel: by.String(), createdLabel: ago(age)}
	}
	dead, elsewhere := ended(t), owner{machine: "elsewhere", pid: 1, start: "1"}

	crashed := bystander(t, labels("crashed", dead, time.Minute))
	frozen := bystander(t, labels("crashed", dead, time.Minute))
	_, err := daemon.ContainerPause(t.Context(), frozen.id, client.ContainerPauseOptions{})
	require.NoError(t, err)
	network, err := daemon.NetworkCreate(t.Context(), "fleetproof-test-crashed", client.NetworkCreateOptions{Labels: labels("crashed", dead, time.Minute)})
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = daemon.NetworkRemove(context.Background(), network.ID, client.NetworkRemoveOptions{}) })
	volume, err := daemon.VolumeCreate(t.Context(), client.VolumeCreateOptions{Labels: labels("crashed", dead, time.Minute)})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = daemon.VolumeRemove(context.Background(), volume.Volume.Name, client.VolumeRemoveOptions{})
	})

	live := bystander(t, labels("live", self(), time.Minute))
	foreign := bystander(t, labels("foreign", elsewhere, 48*time.Hour))
	rebooted := bystander(t, labels("rebooted", elsewhere, 48*time.Hour))
	_, err = daemon.ContainerKill(t.Context(), rebooted.id, client.ContainerKillOptions{})
	require.NoError(t, err)
	unlabelled := bystander(t, map[string]string{"fleetproof": "crashed", ownerLabel: dead.String()})

	require.Eventually(t, func() bool {
		found, err := daemon.ContainerInspect(t.Context(), rebooted.id, client.ContainerInspectOptions{})
		return err == nil && !found.Container.State.Running
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, sweep(t.Context(), daemon, self(), time.Now()))
	crashed.gone(t)
	frozen.gone(t)
	rebooted.gone(t)
	_, err = daemon.NetworkInspect(t.Context(), network.ID, client.NetworkInspectOptions{})
	require.Error(t, err)
	_, err = daemon.VolumeInspect(t.Context(), volume.Volume.Name, client.VolumeInspectOptions{})
	require.Error(t, err)
	live.Lives(t)
	foreign.Lives(t)
	unlabelled.Lives(t)
	require.NoError(t, sweep(t.Context(), daemon, self(), time.Now()), "nothing to do")
}

// Two runs may begin at the same moment, and find the same remains.
func TestSweepsMeet(t *testing.T) {
	dockertest.Need(t)
	dead := ended(t)
	for range 3 {
		bystander(t, map[string]string{runLabel: "crashed", ownerLabel: dead.String(), createdLabel: time.Now().Format(time.RFC3339)})
	}
	daemon, swept := openForTest(t), make(chan error)
	for range 2 {
		go func() { swept <- sweep(t.Context(), daemon, self(), time.Now()) }()
	}
	require.NoError(t, <-swept)
	require.NoError(t, <-swept)
	NothingLeft(t, "crashed")
}

// An operation looks at the label each time, whatever it believes the container to be.
func TestOnlyTheRunsContainersAreTouched(t *testing.T) {
	dockertest.Need(t)
	stranger := Stranger(t)
	c := &Cluster{nodes: make([]Node, 1), kafka: &docker{daemon: stranger.daemon, spec: Spec{Run: "mine"}, brokers: []dockerBroker{{id: stranger.id}}}}
	for verb, operate := range map[string]func(context.Context, int) error{
		"kill": c.Kill, "start": c.StartAgain, "pause": c.Pause, "unpause": c.Unpause, "isolate": c.Isolate, "reconnect": c.Reconnect,
		"stop": func(ctx context.Context, node int) error { return c.Stop(ctx, node, time.Second) },
	} {
		require.EqualError(t, operate(t.Context(), 0), verb+" broker 1: container "+stranger.id[:12]+" is not of this run (label fleetproof.run=stranger)")
	}
	stranger.Lives(t)
}

// A port that was free a moment ago may be somebody's when the container starts.
func TestPortThatWasTakenMeanwhile(t *testing.T) {
	dockertest.Need(t)
	idle := func() *docker {
		d := &docker{daemon: openForTest(t), spec: DockerSpec(1)}
		d.labels = map[string]string{runLabel: d.spec.Run, ownerLabel: self().String()}
		t.Cleanup(func() {
			require.NoError(t, d.remove(context.Background()))
			NothingLeft(t, d.spec.Run)
		})
		return d
	}
	taken, err := freePorts(1)
	require.NoError(t, err)
	require.NoError(t, idle().launch(t.Context(), taken, nil))
	choices := 0
	unlucky := func(times int) func(n int) ([]int, error) {
		choices = 0
		return func(n int) ([]int, error) {
			if choices++; choices > times {
				return freePorts(n)
			}
			return taken, nil
		}
	}

	d := idle()
	require.NoError(t, d.launchOn(t.Context(), unlucky(1), nil))
	assert.Equal(t, 2, choices)
	found, err := findLabelled(t.Context(), d.daemon, runLabel+"="+d.spec.Run)
	require.NoError(t, err)
	assert.Len(t, found[d.spec.Run].containers, 1)
	assert.Len(t, found[d.spec.Run].networks, 1)

	require.ErrorContains(t, idle().launchOn(t.Context(), unlucky(2), nil), "start container of broker 1: ")
	assert.Equal(t, 2, choices, "only twice")
}

// The official image declares volumes, which Docker would create without labels.
func TestVolumesOfTheImage(t *testing.T) {
	dockertest.Need(t)
	daemon := openForTest(t)
	plain, err := daemon.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: &container.Config{Image: dockertest.Image}})
	require.NoError(t, err)
	defer func() {
		_, err := daemon.ContainerRemove(context.Background(), plain.ID, client.ContainerRemoveOptions{})
		require.NoError(t, err)
	}()
	spec := DockerSpec(1)
	spec.Image = "fleetproof-" + spec.Run
	_, err = daemon.ContainerCommit(t.Context(), plain.ID, client.ContainerCommitOptions{Reference: spec.Image, Changes: []string{"VOLUME /mnt/shared/config"}})
	require.NoError(t, err)
	defer func() {
		_, err := daemon.ImageRemove(context.Background(), spec.Image, client.ImageRemoveOptions{Force: true})
		require.NoError(t, err)
	}()

	d, err := startDocker(t.Context(), spec, nil)
	require.NoError(t, err)
	found, err := findLabelled(t.Context(), daemon, runLabel+"="+spec.Run)
	require.NoError(t, err)
	assert.Len(t, found[spec.Run].containers, 1)
	assert.Len(t, found[spec.Run].networks, 1)
	assert.Len(t, found[spec.Run].volumes, 1)
	require.NoError(t, d.close(t.Context()))
	NothingLeft(t, spec.Run)
}
