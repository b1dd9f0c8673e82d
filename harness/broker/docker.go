package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	bridge "github.com/testcontainers/testcontainers-go/network"
	"golang.org/x/sync/errgroup"
)

// createLimit bounds the creation of a network or a container, which is not interrupted: what Docker creates for nobody
// who waits would be found by no clean-up.
const createLimit = time.Minute

// docker is a Kafka cluster in containers, one per broker, on a network of its own.
//
//	clients ─▶ 127.0.0.1:port ─▶ CLIENT     ┐
//	brokers ──▶ kafka-1:19092 ─▶ BROKER     ├ kafka-1
//	brokers ──▶ kafka-1:9093 ──▶ CONTROLLER ┘
//
// The ports on the host are chosen before the containers are created, because a broker tells its clients its address,
// and bound to 127.0.0.1 for good, because a port that Docker draws changes whenever the container is started or
// connected again.
//
// A single broker that nothing needs to cut off listens on the host's network instead, where there is one to share.
type docker struct {
	daemon   client.APIClient
	spec     Spec
	labels   map[string]string
	volumes  []string                      // where the image wants volumes
	identity string                        // of the image
	release  string                        // of Kafka, by what the brokers understand
	onHost   bool                          // the one broker listens on the host's network
	ports    []int                         // of the host, as they were chosen
	network  *testcontainers.DockerNetwork // nil on the host's
	brokers  []dockerBroker
}

// dockerBroker is the container of one broker.
type dockerBroker struct {
	handle     *testcontainers.DockerContainer
	id         string
	direct     string // host:port
	advertised string
}

// startDocker starts the containers, which takes about a second. Their brokers take some more.
func startDocker(ctx context.Context, spec Spec, advertise []net.Addr) (_ *docker, err error) {
	daemon, err := openDaemon(ctx)
	if err != nil {
		return nil, err
	}
	owner := self()
	d := &docker{daemon: daemon, spec: spec, labels: map[string]string{
		runLabel:     spec.Run,
		ownerLabel:   owner.String(),
		createdLabel: time.Now().Format(time.RFC3339),
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close(ctx))
		}
	}()
	if err := sweep(ctx, daemon, owner, time.Now()); err != nil {
		return nil, err
	}
	image, err := pullImage(ctx, daemon, spec.Image)
	if err != nil {
		return nil, err
	}
	d.identity = image.ID
	if image.Config != nil {
		d.volumes = slices.Sorted(maps.Keys(image.Config.Volumes))
	}
	if spec.NoBridge && spec.Brokers == 1 {
		if d.onHost, err = sharesHost(ctx, daemon); err != nil {
			return nil, err
		}
	}
	return d, d.launchOn(ctx, freePorts, advertise)
}

// launchOn launches the containers on ports that are chosen for them, and once more on others when somebody was faster.
func (d *docker) launchOn(ctx context.Context, choose func(n int) ([]int, error), advertise []net.Addr) error {
	for tries := 1; ; tries++ {
		count := d.spec.Brokers
		if d.onHost {
			count = 3 // for its clients, for brokers and for controllers
		}
		ports, err := choose(count)
		if err != nil {
			return err
		}
		err = d.launch(ctx, ports, advertise)
		if err == nil || tries == 2 || !portTaken(err) {
			return err
		}
		if err := d.remove(ctx); err != nil {
			return err
		}
	}
}

// launch starts a network and the containers, side by side.
func (d *docker) launch(ctx context.Context, ports []int, advertise []net.Addr) (err error) {
	d.ports, d.brokers = ports, make([]dockerBroker, d.spec.Brokers)
	for i := range d.brokers {
		d.brokers[i].direct = fmt.Sprintf("127.0.0.1:%d", ports[i])
		d.brokers[i].advertised = d.brokers[i].direct
		if advertise != nil {
			d.brokers[i].advertised = advertise[i].String()
		}
	}
	creating, cancel := context.WithTimeout(context.WithoutCancel(ctx), createLimit)
	defer cancel()
	if !d.onHost {
		d.network, err = bridge.New(creating, bridge.WithLabels(d.labels))
		if err != nil {
			return fmt.Errorf("create network: %w", withoutRyuk(err))
		}
	}
	var starting errgroup.Group
	for i := range d.brokers {
		starting.Go(func() error {
			handle, err := d.run(creating, i)
			d.brokers[i].handle = handle
			if err != nil {
				return fmt.Errorf("start container of broker %d: %w", i+1, withoutRyuk(err))
			}
			d.brokers[i].id = handle.GetContainerID()
			return nil
		})
	}
	if err := starting.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// run creates and starts the container of a broker. It may return one with an error.
func (d *docker) run(ctx context.Context, node int) (*testcontainers.DockerContainer, error) {
	port := network.MustParsePort(strconv.Itoa(clientPort) + "/tcp")
	direct := netip.MustParseAddrPort(d.brokers[node].direct)
	at := onBridge(d.spec.Brokers, node+1, d.brokers[node].advertised)
	if d.onHost {
		at = onHost(d.ports, d.brokers[node].advertised)
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(log.NewNoopLogger()),
		testcontainers.WithName(fmt.Sprintf("fleetproof-%s-%s", d.spec.Run, hostname(node+1))),
		testcontainers.WithLabels(d.labels),
		testcontainers.WithEnv(environment(d.spec, node+1, at)),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			if d.onHost {
				host.NetworkMode = hostNetwork
			} else {
				host.PortBindings = network.PortMap{port: {{HostIP: direct.Addr(), HostPort: strconv.Itoa(int(direct.Port()))}}}
			}
			for _, target := range d.volumes { // Docker would create them anyway, but without labels
				host.Mounts = append(host.Mounts, mount.Mount{
					Type: mount.TypeVolume, Target: target, VolumeOptions: &mount.VolumeOptions{Labels: d.labels},
				})
			}
		}),
	}
	if !d.onHost {
		options = append(options,
			testcontainers.WithExposedPorts(port.String()), // without it the binding above is dropped
			bridge.WithNetwork([]string{hostname(node + 1)}, d.network))
	}
	return testcontainers.Run(ctx, d.spec.Image, options...)
}

// withoutRyuk adds what to do when it is Ryuk that does not start.
func withoutRyuk(err error) error {
	if strings.Contains(err.Error(), "reaper") {
		return fmt.Errorf("%w: set %s=true to do without Ryuk", err, ryukDisabled)
	}
	return err
}

func (d *docker) nodes() []Node {
	nodes := make([]Node, len(d.brokers))
	for i, broker := range d.brokers {
		nodes[i] = Node{ID: int32(i + 1), Direct: broker.direct, Advertised: broker.advertised}
	}
	return nodes
}

func (d *docker) dial(ctx context.Context, network string, node int) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, d.brokers[node].direct)
}

// version is what was asked for, what that was, and what answered: a tag says nothing.
func (d *docker) version() string {
	where := ""
	if d.onHost {
		where = ", on the host's network"
	}
	return fmt.Sprintf("%s (%.19s, speaks the protocol of Kafka %s%s)", d.spec.Image, d.identity, d.release, where)
}

// close removes everything that the run created in Docker, within a deadline of its own.
func (d *docker) close(ctx context.Context) error {
	return errors.Join(d.remove(ctx), d.daemon.Close())
}

// remove removes containers and network. testcontainers-go has a say so that it no longer keeps Ryuk waiting for them;
// what counts is that nothing with the run's label remains.
func (d *docker) remove(ctx context.Context) error {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	var terminating errgroup.Group
	for _, broker := range d.brokers {
		terminating.Go(func() error { return broker.handle.Terminate(ending, testcontainers.StopTimeout(0)) })
	}
	_ = terminating.Wait()
	if d.network != nil {
		_ = d.network.Remove(ending)
	}
	return removeRun(ctx, d.daemon, d.spec.Run)
}
