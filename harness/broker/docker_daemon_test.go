package broker

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettleRyuk(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1") // which has no image at all
	tests := []struct{ setting, want string }{
		{"", "true"},
		{"perhaps", "true"},
		{"1", "true"}, // which testcontainers-go would take for false
		{"TRUE", "true"},
		{"true", "true"},
		{"false", "false"},
		{"0", "0"},
	}
	for _, test := range tests {
		t.Run(test.setting, func(t *testing.T) {
			t.Setenv(ryukDisabled, test.setting)
			require.NoError(t, settleRyuk(t.Context()))
			assert.Equal(t, test.want, os.Getenv(ryukDisabled))
		})
	}
}

func TestDaemonThatDoesNotAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	silent, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer silent.Close()
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = openDaemon(ctx)
	require.EqualError(t, err, "connect to Docker: no answer: context deadline exceeded")
}

func TestDaemonWithoutAddress(t *testing.T) {
	t.Setenv("DOCKER_HOST", "nowhere")
	_, err := openDaemon(t.Context())
	require.EqualError(t, err, "connect to Docker: unable to parse docker host `nowhere`: "+
		"install Docker and start its daemon, or use broker: {kind: embedded}")
}

// Where DOCKER_HOST leads nowhere, no other daemon will do, though there may be one.
func TestDaemonElsewhere(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	_, err := openDaemon(t.Context())
	require.ErrorContains(t, err, "connect to Docker: ")
	require.ErrorContains(t, err, "tcp://127.0.0.1:1")
	require.ErrorContains(t, err, ": install Docker and start its daemon, or use broker: {kind: embedded}")
}

func TestIsLocal(t *testing.T) {
	for _, daemon := range []string{"unix:///var/run/docker.sock", "npipe:////./pipe/docker_engine", "tcp://127.0.0.1:2375", "tcp://[::1]:2375", "http://localhost:2375"} {
		require.NoError(t, isLocal(daemon), daemon)
	}
	for _, daemon := range []string{"tcp://docker:2375", "ssh://me@build-7", "https://10.0.0.7:2376"} {
		assert.EqualError(t, isLocal(daemon), "connect to Docker: "+daemon+" is another machine, and brokers are bound to 127.0.0.1: "+
			"use a local daemon, or broker: {kind: external}", daemon)
	}
}

func TestWithoutRyuk(t *testing.T) {
	plain := errors.New("no space left")
	assert.Equal(t, plain, withoutRyuk(plain))
	assert.EqualError(t, withoutRyuk(errors.New("reaper: new reaper: run container")),
		"reaper: new reaper: run container: set TESTCONTAINERS_RYUK_DISABLED=true to do without Ryuk")
}

func TestState(t *testing.T) {
	tests := []struct {
		state State
		want  string
	}{
		{State{Status: "running"}, "running"},
		{State{Status: "running", ExitCode: 1}, "running"},
		{State{Status: "paused", Isolated: true}, "paused, isolated"},
		{State{Status: "exited", ExitCode: 137, OutOfMemory: true}, "exited with code 137, killed for lack of memory"},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, test.state.String())
	}
}
