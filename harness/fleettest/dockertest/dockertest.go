// Package dockertest decides whether a test may play with Kafka in Docker, and lets only one at a time.
//
// A test that needs Docker begins with Need, or NeedImage: it is skipped, with the reason, where there is no daemon or no
// image, and fails instead where FLEETPROOF_REQUIRE_DOCKER=1 says that both must be there: a skipped test is not a passed
// one. Tests of different packages run at the same time; two clusters would starve each other, so both also take a lock
// that all packages share, until the test is over.
//
// It knows nothing of Kafka but the name of the image.
package dockertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
)

// Image is the image that the tests run.
const Image = "apache/kafka:4.3.1"

// answerTimeout bounds the daemon's answer to whether it has the image.
const answerTimeout = 10 * time.Second

// Need is NeedImage for Image.
func Need(t testing.TB) {
	t.Helper()
	NeedImage(t, Image)
}

// NeedImage skips the test, or fails it, unless Docker and the image are at hand, and waits until no other test plays with
// a cluster.
func NeedImage(t testing.TB, image string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what needs Docker")
	}
	if err := atHand(t.Context(), image); err != nil {
		if os.Getenv("FLEETPROOF_REQUIRE_DOCKER") == "1" {
			t.Fatalf("FLEETPROOF_REQUIRE_DOCKER=1, but %v", err)
		}
		t.Skipf("needs Docker with the image %s: %v", image, err)
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "fleetproof-docker-tests.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lock.Close()) })
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
}

// atHand says what is missing.
func atHand(ctx context.Context, image string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	daemon, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	if _, err := daemon.ImageInspect(ctx, image); err != nil {
		return errors.Join(fmt.Errorf("look for the image: %w", err), daemon.Close())
	}
	return daemon.Close()
}
