package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// patience is far beyond what one broker and a short load take on a busy machine.
const patience = 3 * time.Minute

// dockerScenario is a scenario with one docker broker, a load of the given stages, and more sections.
func dockerScenario(stages, more string) string {
	return `version: 1
name: docker
broker: {kind: docker, brokers: 1, heap: 256MiB}
topic: {partitions: 4, replication_factor: 1, min_insync_replicas: 1}
fleets:
  - {name: climate, devices: 50, interval: 1s, sensors: [temperature]}
load:
  stages: [` + stages + "]\n" + more
}

// endless is a load that somebody has to end.
const endless = "{name: hold, for: 10m, rate: 200/s}"

// down is a fault that takes the one broker away until the run ends.
const down = "faults: [{name: down, at: 1s, for: 9m, do: kill, target: broker 1, allow_loss: true}]\n"

// TestDocker plays the built command as a user does, and looks at Docker from outside.
func TestDocker(t *testing.T) {
	dockertest.Need(t)
	daemon, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, daemon.Close()) })

	t.Run("killed", func(t *testing.T) {
		d := dockerView{t, daemon}
		living := begin(t, dockerScenario(endless, ""))
		living.await("stage hold")
		killed := begin(t, dockerScenario(endless, "faults: [{name: never, at: 9m, for: 1s, do: isolate, target: broker 1, allow_loss: true}]\n")) // which has a network
		killed.await("stage hold")
		require.NoError(t, killed.command.Process.Kill())
		killed.ends(-1)
		before, left := d.of(living.pid), d.of(killed.pid)
		require.Len(t, left.containers, 1)
		require.Len(t, left.networks, 1)

		next := begin(t, dockerScenario(endless, ""))
		next.await("stage hold")
		assert.Equal(t, remains{}, d.of(killed.pid), "the next run has swept them")
		assert.Equal(t, before, d.of(living.pid), "and nothing of a run that lives")
		for _, run := range []*played{next, living} {
			run.signal(syscall.SIGINT)
			assert.Contains(t, run.ends(exitInterrupted), "the run was interrupted")
			assert.Equal(t, remains{}, d.of(run.pid))
		}
	})

	// What the log holds is counted by a tool that is none of ours.
	t.Run("counted", func(t *testing.T) {
		d := dockerView{t, daemon}
		run := begin(t, dockerScenario("{name: hold, for: 3s, rate: 500/s}, {name: quiet, for: 10m, rate: 0.01/min}",
			"producer: {idempotent: false}\nfaults: [{name: deaf, at: 1s, for: 1s, do: lose_ack, target: all, count: 3}]\n"), "--out", "out")
		run.await("stage quiet")
		broker := d.of(run.pid).containers[0]
		counted := -1
		for before := -2; counted != before || counted < 1500; {
			before, counted = counted, d.count(broker, "device-data")
		}
		run.signal(syscall.SIGINT)
		run.ends(exitInterrupted)
		var result struct{ Counts map[string]int }
		text, err := os.ReadFile(filepath.Join(run.command.Dir, "out", "result.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &result))
		assert.Equal(t, counted, result.Counts["consumed"])
		assert.Positive(t, result.Counts["duplicates"])
		assert.Equal(t, 1500, counted-result.Counts["duplicates"])
	})

	t.Run("guest", func(t *testing.T) {
		d := dockerView{t, daemon}
		host := begin(t, dockerScenario(endless, ""))
		host.await("stage hold")
		broker := d.of(host.pid).containers[0]
		guest := func(id, more string) string {
			return strings.Replace(dockerScenario("{name: hold, for: 1s, rate: 200/s}", more), "{kind: docker, brokers: 1, heap: 256MiB}",
				fmt.Sprintf("{kind: external, bootstrap: [%q], cluster_id: %s, caps: {rate: 300/s, bytes: 1MiB, duration: 1m}}", d.listener(broker, "CLIENT"), id), 1)
		}
		id := d.told(broker, "CLUSTER_ID")
		for _, refused := range []struct {
			text      string
			arguments []string
			code      int
			want      string
		}{
			{guest(id, ""), nil, exitMistake, "nobody said that it may (say --allow-external if it may"},
			{guest("another", ""), []string{"--allow-external"}, exitEnvironment, "this is cluster " + id + ", not another: correct bootstrap or cluster_id, nothing was touched"},
			{guest(id, ""), []string{"--allow-external", "--set", "load.stages.hold.rate=301/s"}, exitMistake, "the plan is 301 records/s at most, and the cap is 300/s"},
			{guest(id, "faults: [{name: down, at: 0s, for: 1s, do: kill, target: broker 1}]\n"), []string{"--allow-external"}, exitMistake, "kill"},
			{guest(id, "faults: [{name: slow, at: 0s, for: 1s, do: latency, target: all, latency: 20ms}]\n"), []string{"--allow-external"}, exitMistake, "latency"},
		} {
			run := begin(t, refused.text, refused.arguments...)
			run.ends(refused.code)
			assert.Contains(t, run.said(), refused.want)
			assert.Equal(t, []string{"device-data"}, d.topics(broker))
		}
		run := begin(t, guest(id, ""), "--allow-external", "--set", "topic.name=visit")
		assert.Contains(t, run.ends(exitPass), "read back by another client")
		require.Eventually(t, func() bool { return len(d.topics(broker)) == 1 }, patience, time.Second, "its topic is deleted, and no other")
		host.signal(syscall.SIGINT)
		host.ends(exitInterrupted)
	})

	t.Run("a broker that dies by itself", func(t *testing.T) {
		d := dockerView{t, daemon}
		run := begin(t, dockerScenario("{name: hold, for: 5s, rate: 200/s}", "oracle: {heal_timeout: 1h, drain_timeout: 5s, read_timeout: 5s}\n"))
		run.await("stage hold")
		_, err := d.daemon.ContainerKill(t.Context(), d.of(run.pid).containers[0], client.ContainerKillOptions{Signal: "KILL"})
		require.NoError(t, err)
		assert.Contains(t, run.ends(exitEnvironment), "the container of broker 1 has exited with code 137")
		assert.Equal(t, remains{}, d.of(run.pid))
	})

	t.Run("interrupted", func(t *testing.T) {
		d := dockerView{t, daemon}
		starting := begin(t, dockerScenario(endless, ""))
		require.Eventually(t, func() bool { return len(d.of(starting.pid).containers) > 0 }, patience, 10*time.Millisecond)
		starting.signal(syscall.SIGINT)
		starting.ends(exitInterrupted)
		assert.Equal(t, remains{}, d.of(starting.pid))

		hurt := begin(t, dockerScenario(endless, down))
		hurt.await("fault down")
		hurt.signal(syscall.SIGINT)
		assert.Regexp(t, `down +kill broker 1 +\S+ +\S+ +[0-9]\S+ `, hurt.ends(exitInterrupted), "healed")
		assert.Equal(t, remains{}, d.of(hurt.pid))

		twice := begin(t, dockerScenario(endless, down))
		twice.await("fault down")
		twice.signal(syscall.SIGINT)
		twice.await("healing")
		twice.signal(syscall.SIGINT)
		assert.Empty(t, twice.ends(exitInterrupted))
		assert.Contains(t, twice.said(), "aborted before the verdict")
		assert.Equal(t, remains{}, d.of(twice.pid))
	})

	t.Run("cannot restart", func(t *testing.T) {
		d := dockerView{t, daemon}
		run := begin(t, dockerScenario("{name: hold, for: 4s, rate: 200/s}",
			"faults: [{name: down, at: 3s, for: 500ms, do: kill, target: broker 1, allow_loss: true}]\noracle: {drain_timeout: 5s, read_timeout: 5s}\n"), "--out", "out")
		run.await("stage hold")
		d.execute(d.of(run.pid).containers[0], "sh", "-c", "echo cluster.id=another > /tmp/kraft-combined-logs/meta.properties")
		text := strings.Join(strings.Fields(run.ends(exitEnvironment)), " ")
		assert.Contains(t, text, "ERROR docker: ")
		assert.Contains(t, text, "the container of broker 1 has exited with code 1; its last lines:")
		assert.Contains(t, text, "meta.properties")
		assert.FileExists(t, filepath.Join(run.command.Dir, "out", "broker-1.log"))
		assert.Equal(t, remains{}, d.of(run.pid))
	})
}

// played is fleetproof playing one scenario in a folder of its own.
type played struct {
	t       *testing.T
	command *exec.Cmd
	pid     int
	stdout  bytes.Buffer
	ended   chan struct{}

	mutex sync.Mutex
	lines []string // of standard error
	news  chan struct{}
	next  int // of lines, that await has not looked at
}

func begin(t *testing.T, scenario string, arguments ...string) *played {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "docker.yaml"), []byte(scenario), 0o644))
	p := &played{t: t, ended: make(chan struct{}), news: make(chan struct{}, 1)}
	p.command = exec.Command("fleetproof", append([]string{"run", "docker.yaml"}, arguments...)...) // testscript.Main provides it
	p.command.Dir = folder
	p.command.Stdout = &p.stdout
	stderr, err := p.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	p.pid = p.command.Process.Pid
	go func() {
		defer close(p.ended)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			p.mutex.Lock()
			p.lines = append(p.lines, scanner.Text())
			p.mutex.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
		_ = p.command.Wait() // its code is looked at by ends
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Signal(syscall.SIGTERM) // where the test has failed before its end
		<-p.ended
	})
	return p
}

// await waits for a line of standard error, after those it was asked for before.
func (p *played) await(text string) {
	p.t.Helper()
	patient := time.After(patience)
	for {
		p.mutex.Lock()
		for p.next < len(p.lines) {
			p.next++
			if strings.Contains(p.lines[p.next-1], text) {
				p.mutex.Unlock()
				return
			}
		}
		p.mutex.Unlock()
		select {
		case <-p.news:
		case <-p.ended:
			require.FailNow(p.t, "it has ended", "without saying %q:\n%s\n%s", text, p.said(), &p.stdout)
		case <-patient:
			require.FailNow(p.t, "it takes too long", "waiting for %q:\n%s", text, p.said())
		}
	}
}

func (p *played) signal(signal os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.command.Process.Signal(signal))
}

// ends waits for the end, with the given exit code, and returns standard output.
func (p *played) ends(code int) string {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.FailNow(p.t, "it does not end", p.said())
	}
	require.Equal(p.t, code, p.command.ProcessState.ExitCode(), "%s\n%s", p.said(), &p.stdout)
	return p.stdout.String()
}

// said is standard error.
func (p *played) said() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return strings.Join(p.lines, "\n")
}

// dockerView is Docker as a bystander sees it.
type dockerView struct {
	t      *testing.T
	daemon *client.Client
}

// remains are the names of what a process has created in Docker and not removed.
type remains struct{ containers, networks, volumes []string }

// of finds what a process has created, by the labels.
func (d dockerView) of(pid int) (found remains) {
	d.t.Helper()
	filter := make(client.Filters).Add("label", "fleetproof.run")
	its := func(labels map[string]string) bool {
		return strings.Contains(labels["fleetproof.owner"], "/"+strconv.Itoa(pid)+"/")
	}
	ctx := context.Background()
	containers, err := d.daemon.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	require.NoError(d.t, err)
	for _, each := range containers.Items {
		if its(each.Labels) {
			found.containers = append(found.containers, each.ID)
		}
	}
	networks, err := d.daemon.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	require.NoError(d.t, err)
	for _, each := range networks.Items {
		if its(each.Labels) {
			found.networks = append(found.networks, each.ID)
		}
	}
	volumes, err := d.daemon.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
	require.NoError(d.t, err)
	for _, each := range volumes.Items {
		if its(each.Labels) {
			found.volumes = append(found.volumes, each.Name)
		}
	}
	return found
}

// execute runs a command in a container and returns what it writes.
func (d dockerView) execute(id string, command ...string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	created, err := d.daemon.ExecCreate(ctx, id, client.ExecCreateOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	require.NoError(d.t, err)
	attached, err := d.daemon.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	require.NoError(d.t, err)
	defer attached.Close()
	var stdout, stderr bytes.Buffer
	_, err = stdcopy.StdCopy(&stdout, &stderr, attached.Reader)
	require.NoError(d.t, err)
	finished, err := d.daemon.ExecInspect(ctx, created.ID, client.ExecInspectOptions{})
	require.NoError(d.t, err)
	require.Zero(d.t, finished.ExitCode, "%s\n%s", &stdout, &stderr)
	return stdout.String()
}

// tool runs one of Kafka's own tools in the container of a broker.
func (d dockerView) tool(broker, name string, arguments ...string) []string {
	d.t.Helper()
	command := append([]string{"java", "-cp", "/opt/kafka/libs/*", "org.apache.kafka.tools." + name, "--bootstrap-server", d.listener(broker, "BROKER")}, arguments...)
	return strings.Fields(d.execute(broker, command...))
}

// count adds up the end offsets of a topic.
func (d dockerView) count(broker, topic string) (records int) {
	d.t.Helper()
	for _, line := range d.tool(broker, "GetOffsetShell", "--topic", topic, "--time", "latest") { // topic:partition:offset
		offset, err := strconv.Atoi(line[strings.LastIndex(line, ":")+1:])
		require.NoError(d.t, err)
		records += offset
	}
	return records
}

func (d dockerView) topics(broker string) []string {
	d.t.Helper()
	return d.tool(broker, "TopicCommand", "--list", "--exclude-internal")
}

// told is what a broker was told by an environment variable.
func (d dockerView) told(broker, name string) string {
	d.t.Helper()
	found, err := d.daemon.ContainerInspect(d.t.Context(), broker, client.ContainerInspectOptions{})
	require.NoError(d.t, err)
	for _, variable := range found.Container.Config.Env {
		if value, is := strings.CutPrefix(variable, name+"="); is {
			return value
		}
	}
	require.FailNow(d.t, "not told", name)
	return ""
}

// listener is the address that a broker tells those who come to one of its listeners.
func (d dockerView) listener(broker, name string) string {
	d.t.Helper()
	_, rest, found := strings.Cut(d.told(broker, "KAFKA_ADVERTISED_LISTENERS"), name+"://")
	require.True(d.t, found)
	address, _, _ := strings.Cut(rest, ",")
	return address
}
