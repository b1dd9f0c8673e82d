package broker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// The labels of everything that a run creates in Docker.
const (
	runLabel     = "fleetproof.run"     // identity of the run
	ownerLabel   = "fleetproof.owner"   // the process that removes it
	createdLabel = "fleetproof.created" // when, RFC 3339
)

// foreignAge is how old something must be that a process created which cannot be looked up from here, before it counts
// as left behind.
const foreignAge = 24 * time.Hour

// owner is the process that plays a run.
type owner struct {
	machine string // what tells its process ids from those of others: boot and PID namespace
	pid     int
	start   string // when it started, in ticks since the boot; empty where the system does not say
}

// self is this process.
func self() owner {
	pid := os.Getpid()
	start, _ := started(pid)
	return owner{machine: machine(), pid: pid, start: start}
}

// String writes the owner as its label.
func (o owner) String() string { return fmt.Sprintf("%s/%d/%s", o.machine, o.pid, o.start) }

// parseOwner reads a label; anything else belongs to a process of no known machine.
func parseOwner(label string) owner {
	parts := strings.Split(label, "/")
	if len(parts) != 3 {
		return owner{}
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil {
		return owner{}
	}
	return owner{machine: parts[0], pid: pid, start: parts[2]}
}

// gone says whether the owner has certainly ended.
func (o owner) gone() bool {
	start, found := started(o.pid)
	if !found {
		alive, err := process.PidExists(int32(o.pid))
		return err == nil && !alive
	}
	return start != o.start // another process has its id
}

// machine names the kernel's boot and the namespace within which a process id means one process. Containers that share
// a Docker daemon share the boot, not the namespace.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		name, _ := os.Hostname()
		return strings.ReplaceAll(name, "/", "-")
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid") // pid:[4026531836]
	return string(bytes.TrimSpace(boot)) + "-" + strings.Trim(namespace, "pid:[]")
}

// started reads when a process started, in ticks since the boot. A process that has ended and only waits for its parent
// to look counts as ended.
//
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the second field is the command in parentheses, which may
// hold anything; the third is the state, the twenty-second the start.
func started(pid int) (ticks string, found bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "", false
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "", true
	}
	return fields[19], true
}

// leftBehind says whether nobody will remove what an owner created.
func leftBehind(by, here owner, age time.Duration, running bool) bool {
	if by.machine == here.machine && by.machine != "" {
		return by.gone()
	}
	// The owner lived before a reboot, or lives on another machine or in another container that shares this daemon.
	return age > foreignAge && !running
}
