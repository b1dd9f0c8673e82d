package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

const (
	lastLines   = 15               // of a broker's log go into an error
	logsTimeout = 20 * time.Second // bounds the writing of the logs of a cluster that did not come up
)

// LastLogs is what a docker broker wrote last: as many lines as go into an error.
func (c *Cluster) LastLogs(ctx context.Context, node int) (string, error) {
	d, err := c.container(node)
	if err != nil {
		return "", fmt.Errorf("read log of broker %d: %w", node+1, err)
	}
	return d.lastLogs(ctx, node)
}

func (d *docker) lastLogs(ctx context.Context, node int) (string, error) {
	var text strings.Builder
	if err := d.copyLogs(ctx, &text, node, strconv.Itoa(lastLines)); err != nil {
		return "", err
	}
	return strings.TrimRight(text.String(), "\n"), nil
}

// WriteLogs writes what every docker broker has written so far into a folder, which need not exist: broker-1.log and so
// on. Other kinds of broker have no logs, and nothing is written.
func (c *Cluster) WriteLogs(ctx context.Context, folder string) error {
	d, found := c.kafka.(*docker)
	if !found {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write broker logs: %w", err)
	}
	var errs []error
	for node := range d.brokers {
		errs = append(errs, d.writeLog(ctx, filepath.Join(folder, fmt.Sprintf("broker-%d.log", node+1)), node))
	}
	return errors.Join(errs...)
}

func (d *docker) writeLog(ctx context.Context, path string, node int) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write log of broker %d: %w", node+1, err)
	}
	return errors.Join(d.copyLogs(ctx, file, node, "all"), file.Close())
}

// copyLogs copies the last so many lines, or all.
func (d *docker) copyLogs(ctx context.Context, into io.Writer, node int, lines string) error {
	logs, err := d.daemon.ContainerLogs(ctx, d.brokers[node].id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: lines})
	if err != nil {
		return fmt.Errorf("read log of broker %d: %w", node+1, err)
	}
	defer func() { _ = logs.Close() }()
	if _, err := stdcopy.StdCopy(into, into, logs); err != nil {
		return fmt.Errorf("read log of broker %d: %w", node+1, err)
	}
	return nil
}
