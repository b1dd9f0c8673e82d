package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// removeTimeout bounds the removal of what a run created in Docker. That of the present run has a deadline of its own
// because it must happen when everything else has been given up; that of an earlier one, because Docker may never end it.
const removeTimeout = 45 * time.Second

// sweep removes from Docker what runs left behind that ended without their clean-up: containers, networks and volumes
// with the label of a run whose process is gone. What has no such label, or belongs to a run that is being played, is
// never touched.
func sweep(ctx context.Context, daemon client.APIClient, here owner, now time.Time) error {
	var labelled map[string]*belongings
	err := within(ctx, reportTimeout, askDaemon, func(ctx context.Context) (err error) {
		labelled, err = findLabelled(ctx, daemon, runLabel)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for what earlier runs left in Docker: %w", err)
	}
	var errs []error
	for _, run := range slices.Sorted(maps.Keys(labelled)) {
		left := labelled[run]
		if !leftBehind(parseOwner(left.owner), here, now.Sub(left.created), left.running) {
			continue
		}
		remedy := fmt.Sprintf("restart the Docker daemon if docker ps -a --filter label=%s=%s still shows any", runLabel, run)
		err := within(ctx, removeTimeout, remedy, func(ctx context.Context) error { return left.remove(ctx, daemon) })
		if err != nil {
			errs = append(errs, fmt.Errorf("remove what run %s left in Docker: %w", run, err))
		}
	}
	return errors.Join(errs...)
}

// removeRun removes everything with the label of a run, and looks again until nothing remains.
func removeRun(ctx context.Context, daemon client.APIClient, run string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	label := runLabel + "=" + run
	err := poll(ctx, func() (bool, error) {
		labelled, err := findLabelled(ctx, daemon, label)
		if err != nil || len(labelled) == 0 {
			return true, err
		}
		return false, labelled[run].remove(ctx, daemon)
	})
	if err != nil {
		return fmt.Errorf("remove what run %s created in Docker: %w: find it with docker ps -a --filter label=%s", run, err, label)
	}
	return nil
}

// belongings are what one run created in Docker.
type belongings struct {
	owner                         string // the label, as found
	created                       time.Time
	running                       bool // one of the containers runs
	containers, networks, volumes []string
}

// findLabelled finds what carries a label, by the identity of the run.
func findLabelled(ctx context.Context, daemon client.APIClient, label string) (map[string]*belongings, error) {
	filter := make(client.Filters).Add("label", label)
	containers, err := daemon.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, err
	}
	networks, err := daemon.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, err
	}
	volumes, err := daemon.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
	if err != nil {
		return nil, err
	}
	runs := map[string]*belongings{}
	of := func(labels map[string]string) *belongings {
		run := runs[labels[runLabel]]
		if run == nil {
			created, _ := time.Parse(time.RFC3339, labels[createdLabel])
			run = &belongings{owner: labels[ownerLabel], created: created}
			runs[labels[runLabel]] = run
		}
		return run
	}
	for _, found := range containers.Items {
		run := of(found.Labels)
		run.containers = append(run.containers, found.ID)
		run.running = run.running || found.State == container.StateRunning || found.State == container.StatePaused
	}
	for _, found := range networks.Items {
		run := of(found.Labels)
		run.networks = append(run.networks, found.ID)
	}
	for _, found := range volumes.Items {
		run := of(found.Labels)
		run.volumes = append(run.volumes, found.Name)
	}
	return runs, nil
}

// remove removes the containers with the volumes that live only with them, then what they used. Somebody else may be
// removing the same.
func (b *belongings) remove(ctx context.Context, daemon client.APIClient) error {
	var removing errgroup.Group
	for _, id := range b.containers {
		removing.Go(func() error {
			_, err := daemon.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			if errdefs.IsConflict(err) { // its removal is under way
				return awaitRemoval(ctx, daemon, id)
			}
			return unlessGone(err)
		})
	}
	if err := removing.Wait(); err != nil {
		return err
	}
	for _, id := range b.networks {
		if _, err := daemon.NetworkRemove(ctx, id, client.NetworkRemoveOptions{}); unlessGone(err) != nil {
			return err
		}
	}
	for _, name := range b.volumes {
		if _, err := daemon.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}); unlessGone(err) != nil {
			return err
		}
	}
	return nil
}

// awaitRemoval waits until a container that is being removed is no more.
func awaitRemoval(ctx context.Context, daemon client.APIClient, id string) error {
	err := poll(ctx, func() (bool, error) {
		_, err := daemon.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return errdefs.IsNotFound(err), unlessGone(err)
	})
	if err != nil {
		return fmt.Errorf("wait until container %.12s, which is being removed, is gone: %w", id, err)
	}
	return nil
}

func unlessGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// pollPause is the time between two looks at something that does not say when it changes.
const pollPause = 50 * time.Millisecond

// poll looks again and again until it is done, finds an error, or ctx ends.
func poll(ctx context.Context, look func() (done bool, err error)) error {
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		done, err := look()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
	}
}
