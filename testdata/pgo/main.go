// Command pgo makes the profile by which the compiler knows what of fleetproof is hot (https://go.dev/doc/pgo):
//
//	pgo cmd/fleetproof/default.pgo
//
// It plays testdata/throughput on the embedded broker and on one in Docker, and writes where the processor time of both went.
// The profile names functions and lines, and nothing of the machine that it was made on. It need not be made anew for every
// change: the compiler passes over what it does not find any more.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// leaveWithin is how long a child may take to end once it was interrupted.
const leaveWithin = 15 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pgo: %s\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) (err error) {
	if len(arguments) != 1 {
		return errors.New("want the file to write, and nothing else")
	}
	folder, err := os.MkdirTemp("", "fleetproof-pgo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	program := filepath.Join(folder, "fleetproof")
	if _, err := output(ctx, "go", "build", "-trimpath", "-pgo=off", "-o", program, "./cmd/fleetproof"); err != nil {
		return err
	}
	merge := []string{"tool", "pprof", "-proto", "-symbolize=none"}
	for kind, rate := range map[string]string{"embedded": "150000/s", "docker": "80000/s"} {
		profile := filepath.Join(folder, kind)
		_, err := output(ctx, program, "run", "--quiet", "--cpu-profile="+profile, "--set", "broker.kind="+kind, "--set", "broker.brokers=1",
			"--set", "load.stages.warmup.for=15s", "--set", "load.stages.hold.for=30s", "--set", "load.stages.hold.rate="+rate,
			"testdata/throughput/throughput.yaml")
		if err != nil {
			return err
		}
		merge = append(merge, profile)
	}
	merged, err := output(ctx, "go", merge...)
	if err != nil {
		return err
	}
	anonymous, err := withoutPaths(merged)
	if err != nil {
		return fmt.Errorf("read the merged profile: %w", err)
	}
	return os.WriteFile(arguments[0], anonymous, 0o644)
}

// output runs a program to its end. What it says on standard error belongs to the user.
func output(ctx context.Context, name string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it has things to tidy up
	command.WaitDelay = leaveWithin
	command.Stderr = os.Stderr
	said, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), arguments[0], err, said)
	}
	return said, nil
}

// stringTable is the field of a profile that has all its strings (https://github.com/google/pprof/blob/main/proto/profile.proto).
const stringTable = 6

// withoutPaths empties every string of a profile that is an absolute path: those of the program and of its libraries. The
// files of the functions are none, in a program that was built with -trimpath.
func withoutPaths(profile []byte) ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(zipped)
	if err != nil {
		return nil, err
	}
	var without bytes.Buffer
	writer := gzip.NewWriter(&without)
	for len(rest) > 0 {
		number, kind, start := protowire.ConsumeTag(rest)
		if start < 0 {
			return nil, protowire.ParseError(start)
		}
		size := protowire.ConsumeFieldValue(number, kind, rest[start:])
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		field := rest[:start+size]
		rest = rest[start+size:]
		if number == stringTable {
			if text, _ := protowire.ConsumeString(field[start:]); filepath.IsAbs(text) {
				field = protowire.AppendString(protowire.AppendTag(nil, stringTable, protowire.BytesType), "")
			}
		}
		if _, err := writer.Write(field); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return without.Bytes(), nil
}
