package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// daemonTimeout bounds the first answer of the Docker daemon.
const daemonTimeout = 10 * time.Second

// pullTimeout bounds the pull of an image: some hundred megabytes, on a line that may be slow.
const pullTimeout = 15 * time.Minute

// askDaemon is what may help where Docker does not answer.
const askDaemon = "see whether docker info answers, and restart the daemon where it does not"

// within takes a step of a start, which could hang as long as Docker does: the run that starts has no deadline of its own.
// The error of a step that takes too long says what may help.
func within(ctx context.Context, limit time.Duration, remedy string, step func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := step(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("not done within %v: %w: %s", limit, err, remedy)
	}
	return err
}

// ryukDisabled is the variable by which testcontainers-go is told to do without Ryuk, its container that removes others.
const ryukDisabled = "TESTCONTAINERS_RYUK_DISABLED"

// connecting is held while the state of the process is changed that testcontainers-go reads when it connects: the
// environment, which it looks at once, and its default logger.
var connecting sync.Mutex

// openDaemon connects to the Docker daemon as testcontainers-go finds it.
func openDaemon(ctx context.Context) (client.APIClient, error) {
	connecting.Lock()
	defer connecting.Unlock()
	if err := settleRyuk(ctx); err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("connect to Docker: %w", err)
	} else if err != nil {
		return nil, withoutDocker(err)
	}
	if err := obeyHost(ctx); err != nil {
		return nil, withoutDocker(err)
	}
	// Connecting describes the daemon to the default logger, in the middle of our own output.
	usual := log.Default()
	log.SetDefault(log.NewNoopLogger())
	defer log.SetDefault(usual)
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, withoutDocker(err)
	}
	daemon := provider.Client()
	if err := isLocal(daemon.DaemonHost()); err != nil {
		return nil, errors.Join(err, daemon.Close())
	}
	return daemon, nil
}

// isLocal refuses a daemon to whose 127.0.0.1 no client from here can connect.
func isLocal(daemon string) error {
	host, err := url.Parse(daemon)
	if err != nil {
		return fmt.Errorf("connect to Docker: %w", err)
	}
	if ip := net.ParseIP(host.Hostname()); host.Hostname() == "" || host.Hostname() == "localhost" || ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("connect to Docker: %s is another machine, and brokers are bound to 127.0.0.1: use a local daemon, or broker: {kind: external}", daemon)
}

func withoutDocker(err error) error {
	return fmt.Errorf("connect to Docker: %w: install Docker and start its daemon, or use broker: {kind: embedded}", err)
}

// settleRyuk decides whether Ryuk watches over this process's containers: where somebody said so, or where its image is
// at hand. It is never pulled: the sweep of the next run does its work too. Nothing but the exact word true disables it,
// and without its image every container that is started would fail.
//
// It is also the first to ask the daemon, with a deadline, which testcontainers-go has not.
func settleRyuk(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	daemon, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer func() { _ = daemon.Close() }()
	_, err = daemon.ImageInspect(ctx, testcontainers.ReaperDefaultImage) //nolint:staticcheck // there is no other way to learn its name
	if ctx.Err() != nil {
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
	disabled, unset := strconv.ParseBool(os.Getenv(ryukDisabled))
	if disabled || unset != nil && err != nil {
		return os.Setenv(ryukDisabled, "true")
	}
	return nil
}

// obeyHost refuses to go on when somebody has said where the daemon is and nobody answers there: testcontainers-go would
// look for another one, and play there.
func obeyHost(ctx context.Context) error {
	if os.Getenv(client.EnvOverrideHost) == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	daemon, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	_, err = daemon.Ping(ctx, client.PingOptions{})
	return errors.Join(err, daemon.Close())
}

// hostNetwork is Docker's name for the network of the machine that the daemon runs on.
const hostNetwork = "host"

// sharesHost says whether a container on the host's network is on ours: not with Docker Desktop, whose containers live in a
// virtual machine, not with a daemon without root, which has a network of its own, and not from within a container.
func sharesHost(ctx context.Context, daemon client.APIClient) (bool, error) {
	var found client.SystemInfoResult
	err := within(ctx, reportTimeout, askDaemon, func(ctx context.Context) (err error) {
		found, err = daemon.Info(ctx, client.InfoOptions{})
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look at Docker: %w", err)
	}
	name, err := os.Hostname()
	rootless := slices.ContainsFunc(found.Info.SecurityOptions, func(option string) bool { return strings.Contains(option, "rootless") })
	return err == nil && runtime.GOOS == "linux" && found.Info.Name == name && !rootless, nil
}

// lookAtImage describes an image that the daemon has.
func lookAtImage(ctx context.Context, daemon client.APIClient, image string) (found client.ImageInspectResult, err error) {
	err = within(ctx, reportTimeout, askDaemon, func(ctx context.Context) (err error) {
		found, err = daemon.ImageInspect(ctx, image)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("look at image %s: %w", image, err)
	}
	return found, nil
}

// pullImage makes sure that the daemon has an image, and describes it.
func pullImage(ctx context.Context, daemon client.APIClient, image string) (client.ImageInspectResult, error) {
	found, err := lookAtImage(ctx, daemon, image)
	if !errdefs.IsNotFound(err) {
		return found, err
	}
	err = within(ctx, pullTimeout, "docker pull has no such limit", func(ctx context.Context) error {
		pull, err := daemon.ImagePull(ctx, image, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		return errors.Join(pull.Wait(ctx), pull.Close())
	})
	if err != nil {
		return found, fmt.Errorf("pull image %s: %w: connect to a registry that has it, load it with docker load, or name an image of docker images", image, err)
	}
	return lookAtImage(ctx, daemon, image)
}
