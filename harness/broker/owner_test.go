package broker

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ended is a process that has lived on this machine.
func ended(t *testing.T) owner {
	t.Helper()
	process := exec.Command("sleep", "60")
	require.NoError(t, process.Start())
	start, found := started(process.Process.Pid)
	require.True(t, found)
	require.NoError(t, process.Process.Kill())
	require.Error(t, process.Wait())
	return owner{machine: machine(), pid: process.Process.Pid, start: start}
}

func TestOwnerLabel(t *testing.T) {
	here := self()
	assert.Equal(t, os.Getpid(), here.pid)
	assert.NotEmpty(t, here.start)
	assert.Equal(t, here, parseOwner(here.String()))
	for _, label := range []string{"", "x", "machine/pid/7", "a/b/c/d"} {
		assert.Equal(t, owner{}, parseOwner(label), label)
	}
}

func TestOwnerGone(t *testing.T) {
	assert.False(t, self().gone())
	assert.True(t, ended(t).gone())
	reused := self()
	reused.start = "1"
	assert.True(t, reused.gone(), "another process has the number now")
}

// A process that was killed stays in the table until its parent looks.
func TestOwnerThatNobodyWaitedFor(t *testing.T) {
	process := exec.Command("sleep", "60")
	require.NoError(t, process.Start())
	start, _ := started(process.Process.Pid)
	dead := owner{machine: machine(), pid: process.Process.Pid, start: start}
	assert.False(t, dead.gone())
	require.NoError(t, process.Process.Kill())
	require.Eventually(t, dead.gone, time.Minute, time.Millisecond)
	require.Error(t, process.Wait())
}

func TestLeftBehind(t *testing.T) {
	here := self()
	elsewhere := owner{machine: "other-boot", pid: here.pid, start: here.start}
	tests := []struct {
		name    string
		by      owner
		age     time.Duration
		running bool
		want    bool
	}{
		{"own", here, time.Hour, true, false},
		{"own, stopped", here, 1000 * time.Hour, false, false},
		{"ended", ended(t), 0, true, true},
		{"elsewhere", elsewhere, 1000 * time.Hour, true, false},
		{"elsewhere, stopped a moment ago", elsewhere, time.Hour, false, false},
		{"elsewhere, stopped and old", elsewhere, 25 * time.Hour, false, true},
		{"unreadable", owner{}, time.Hour, false, false},
		{"unreadable and old", owner{}, 25 * time.Hour, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, leftBehind(test.by, here, test.age, test.running))
		})
	}
}
