package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/fleetproof/fleetproof/harness"
)

// profiles are what go tool pprof shows of this process, harness, client and embedded broker together. A file that nobody
// asked for is nil.
type profiles struct {
	cpu, heap *os.File
	sampled   *checked // what is written to cpu
	loading   bool     // the progress before was one of the load
	taken     bool     // the heap was written
}

// checked keeps the first error of a writer, for package pprof drops those of a profile that grows while it is taken.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// startProfiles opens the files and begins with the processor time. The error is one of the environment.
func startProfiles(cpu, heap newFile) (*profiles, error) {
	p := &profiles{}
	for _, file := range []struct {
		flag string
		name newFile
		into **os.File
	}{{"--cpu-profile", cpu, &p.cpu}, {"--heap-profile", heap, &p.heap}} {
		if file.name == "" {
			continue
		}
		opened, err := os.Create(string(file.name))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w: choose a file that can be written", file.flag, err), p.close())
		}
		*file.into = opened
	}
	if p.cpu != nil {
		p.sampled = &checked{Writer: p.cpu}
		if err := pprof.StartCPUProfile(p.sampled); err != nil {
			return nil, errors.Join(fmt.Errorf("--cpu-profile: %w", err), p.close())
		}
	}
	return p, nil
}

// progress takes the heap when a load has ended: what lived then, by the latest collection, is what the run needs. Once
// everything is closed nothing of it is left to be seen. Of several scenarios the last one's counts.
func (p *profiles) progress(now harness.Progress) error {
	ended := p.loading && now.Step != "load"
	p.loading = now.Step == "load"
	if !ended || p.heap == nil {
		return nil
	}
	return p.takeHeap()
}

func (p *profiles) takeHeap() error {
	p.taken = true
	if err := p.heap.Truncate(0); err != nil {
		return fmt.Errorf("--heap-profile: %w", err)
	}
	if _, err := p.heap.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("--heap-profile: %w", err)
	}
	if err := pprof.WriteHeapProfile(p.heap); err != nil {
		return fmt.Errorf("--heap-profile: %w", err)
	}
	return nil
}

// stop ends the profiles. Without a load that has ended the heap is taken now.
func (p *profiles) stop() error {
	var err error
	if p.cpu != nil {
		pprof.StopCPUProfile() // which waits until all of it is written
		if p.sampled.err != nil {
			err = fmt.Errorf("--cpu-profile: %w", p.sampled.err)
		}
	}
	if p.heap != nil && !p.taken {
		err = errors.Join(err, p.takeHeap())
	}
	return errors.Join(err, p.close())
}

func (p *profiles) close() error {
	var errs []error
	for _, file := range []*os.File{p.cpu, p.heap} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}
