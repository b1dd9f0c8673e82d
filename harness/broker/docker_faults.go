package broker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// reportTimeout bounds how long Docker takes to report what it was told to do.
const reportTimeout = 30 * time.Second

// State is what Docker says of the container of a broker.
type State struct {
	Status      string // created, running, paused, restarting, removing, exited or dead
	Isolated    bool   // it is not connected to the cluster's network
	ExitCode    int    // once it has exited: 143 after SIGTERM, 137 after SIGKILL
	OutOfMemory bool   // the kernel killed it for that
}

// String describes the state in a message.
func (s State) String() string {
	text := s.Status
	if s.Status == string(container.StateExited) {
		text = fmt.Sprintf("%s with code %d", text, s.ExitCode)
	}
	if s.OutOfMemory {
		text += ", killed for lack of memory"
	}
	if s.Isolated {
		text += ", isolated"
	}
	return text
}

// Kill kills a docker broker (SIGKILL): a machine that loses power and keeps its disk.
func (c *Cluster) Kill(ctx context.Context, node int) error {
	return c.act(ctx, "kill", node, 0, hasStopped, func(ctx context.Context, d *docker, id string) error {
		_, err := d.daemon.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "SIGKILL"})
		return err
	})
}

// Stop shuts a docker broker down (SIGTERM): it hands its leaderships over first. After the timeout it is killed, and
// the error says so, because that was no controlled shutdown; it is down all the same.
func (c *Cluster) Stop(ctx context.Context, node int, timeout time.Duration) error {
	var last State // to ask once more, when ctx may have ended, would take a deadline of its own
	stopped := func(state State) bool {
		last = state
		return hasStopped(state)
	}
	err := c.act(ctx, "stop", node, timeout, stopped, func(ctx context.Context, d *docker, id string) error {
		seconds := int(math.Ceil(timeout.Seconds()))
		_, err := d.daemon.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
	if err == nil && last.ExitCode == 137 {
		err = fmt.Errorf("stop broker %d: it had not ended after %v and was killed", node+1, timeout)
	}
	return err
}

// StartAgain starts a docker broker that was killed or stopped, with its disk and its address. It takes part in the
// cluster some seconds later (AwaitInSync).
func (c *Cluster) StartAgain(ctx context.Context, node int) error {
	return c.act(ctx, "start", node, 0, isRunning, func(ctx context.Context, d *docker, id string) error {
		_, err := d.daemon.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Pause freezes a docker broker: its connections stay open and nothing answers.
func (c *Cluster) Pause(ctx context.Context, node int) error {
	return c.act(ctx, "pause", node, 0, isPaused, func(ctx context.Context, d *docker, id string) error {
		_, err := d.daemon.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

// Unpause lets a docker broker go on.
func (c *Cluster) Unpause(ctx context.Context, node int) error {
	return c.act(ctx, "unpause", node, 0, isRunning, func(ctx context.Context, d *docker, id string) error {
		_, err := d.daemon.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// Isolate cuts a docker broker off from clients and from the other brokers.
func (c *Cluster) Isolate(ctx context.Context, node int) error {
	return c.act(ctx, "isolate", node, 0, isIsolated, func(ctx context.Context, d *docker, id string) error {
		if d.onHost {
			return errors.New("it is on the host's network")
		}
		_, err := d.daemon.NetworkDisconnect(ctx, d.network.ID, client.NetworkDisconnectOptions{Container: id})
		return err
	})
}

// Reconnect connects a docker broker again, under its name and its address.
func (c *Cluster) Reconnect(ctx context.Context, node int) error {
	return c.act(ctx, "reconnect", node, 0, isConnected, func(ctx context.Context, d *docker, id string) error {
		_, err := d.daemon.NetworkConnect(ctx, d.network.ID, client.NetworkConnectOptions{
			Container:      id,
			EndpointConfig: &network.EndpointSettings{Aliases: []string{hostname(node + 1)}},
		})
		return err
	})
}

// State asks Docker for the state of a docker broker.
func (c *Cluster) State(ctx context.Context, node int) (State, error) {
	d, err := c.container(node)
	if err == nil {
		var state State
		if state, err = d.state(ctx, node); err == nil {
			return state, nil
		}
	}
	return State{}, fmt.Errorf("look at broker %d: %w", node+1, err)
}

func isRunning(s State) bool   { return s.Status == string(container.StateRunning) }
func isPaused(s State) bool    { return s.Status == string(container.StatePaused) }
func isIsolated(s State) bool  { return s.Isolated }
func isConnected(s State) bool { return !s.Isolated }
func hasStopped(s State) bool {
	return s.Status == string(container.StateExited) || s.Status == string(container.StateDead)
}

// container is the docker cluster, when it has such a broker.
func (c *Cluster) container(node int) (*docker, error) {
	d, found := c.kafka.(*docker)
	if !found {
		return nil, errors.New("only a docker broker can")
	}
	if node < 0 || node >= len(d.brokers) {
		return nil, fmt.Errorf("there are %d", len(d.brokers))
	}
	return d, nil
}

// act does something to the container of a broker, which may take so long, and waits until Docker reports that it is
// done. It refuses what is not this run's, and what is done already: Docker accepts some of that in silence, and a fault
// that changes nothing is none.
//
// What has begun is brought to its end when ctx ends meanwhile: Docker would go on with it anyway, and undo what heals it.
func (c *Cluster) act(ctx context.Context, verb string, node int, long time.Duration, done func(State) bool, do func(ctx context.Context, d *docker, id string) error) error {
	d, err := c.container(node)
	if err != nil {
		return fmt.Errorf("%s broker %d: %w", verb, node+1, err)
	}
	now, err := d.state(ctx, node)
	if err == nil && done(now) {
		err = fmt.Errorf("nothing to do: it is %v", now)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), long+reportTimeout)
	defer cancel()
	if err == nil {
		err = do(ctx, d, d.brokers[node].id)
	}
	if err != nil {
		return fmt.Errorf("%s broker %d: %w", verb, node+1, err)
	}
	err = poll(ctx, func() (bool, error) {
		var err error
		now, err = d.state(ctx, node)
		return done(now), err
	})
	if err != nil {
		return fmt.Errorf("%s broker %d: it is still %v: %w", verb, node+1, now, err)
	}
	return nil
}

// state looks at the container of a broker, and refuses to if it is not this run's.
func (d *docker) state(ctx context.Context, node int) (State, error) {
	inspected, err := d.daemon.ContainerInspect(ctx, d.brokers[node].id, client.ContainerInspectOptions{})
	if err != nil {
		return State{}, err
	}
	found := inspected.Container
	if run := found.Config.Labels[runLabel]; run != d.spec.Run {
		return State{}, fmt.Errorf("container %.12s is not of this run (label %s=%s)", found.ID, runLabel, run)
	}
	name := hostNetwork
	if d.network != nil {
		name = d.network.Name
	}
	_, connected := found.NetworkSettings.Networks[name]
	return State{
		Status:      string(found.State.Status),
		Isolated:    !connected,
		ExitCode:    found.State.ExitCode,
		OutOfMemory: found.State.OOMKilled,
	}, nil
}

// ExitedError says that the container of a broker does not run. Unless a fault holds it down it will not come back.
type ExitedError struct {
	Node  int
	State State
	Lines string // what it wrote last
}

func (e *ExitedError) Error() string {
	return fmt.Sprintf("the container of broker %d has %v; its last lines:\n%s", e.Node+1, e.State, e.Lines)
}

// exited is an ExitedError when the container of one of these brokers does not run.
func (d *docker) exited(ctx context.Context, nodes []int) error {
	for _, node := range nodes {
		state, err := d.state(ctx, node)
		if err != nil {
			return err
		}
		if !hasStopped(state) {
			continue
		}
		lines, err := d.lastLogs(ctx, node)
		if err != nil {
			lines = err.Error()
		}
		return &ExitedError{Node: node, State: state, Lines: lines}
	}
	return nil
}
