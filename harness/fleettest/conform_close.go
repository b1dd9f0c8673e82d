package fleettest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

func closeClauses() []clause {
	return []clause{
		{"lets what is in flight come back", closeDrains},
		{"ends with its context when no broker answers", closeEnds(short)},
		{"ends at once with a context that has ended", closeEnds(0)},
		{"ends with its context when no broker is there", closeEndsAlone},
		{"leaves no outcome for later", closeIsLast},
		{"may be called again", closeAgain},
		{"leaves no goroutine behind", closeReleases},
	}
}

func closeDrains(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	closed := make(chan error, 1)
	go func() { closed <- s.end(patience) }()
	select {
	case err := <-closed:
		return errors.Join(errors.New("what is in flight has until the end of the context of Close, which has returned long before, with records that no broker has answered"), err)
	case <-time.After(moment):
	}
	s.gate.let()
	if err := <-closed; err != nil {
		return fmt.Errorf("Close with time enough: %w", err)
	}
	if acked := s.book.count(producer.Acked); acked < some {
		return fmt.Errorf("Close gives what is in flight until the end of its context, and of %d records only %d were acked: %s", some, acked, s.firstReason())
	}
	return nil
}

// ends wants Close to come back. Its error says what could not be released, which is no breach.
func (s *scene) ends(limit time.Duration) error {
	err := s.end(limit)
	var hung *hang
	if errors.As(err, &hung) {
		return fmt.Errorf("Close returns within its context or soon after: %w", err)
	}
	return nil
}

func closeEnds(limit time.Duration) func(context.Context, kit) error {
	return func(ctx context.Context, k kit) error {
		s, err := k.openHeld(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return s.ends(limit)
	}
}

func closeEndsAlone(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.crash(); err != nil {
		return err
	}
	if err := s.send(some); err != nil {
		return err
	}
	return s.ends(short)
}

func closeIsLast(ctx context.Context, k kit) error {
	s, err := k.openHeld(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.ends(0); err != nil {
		return nil // it has not closed, which another clause is about
	}
	s.book.shut()
	s.gate.let() // the answers that Close did not wait for
	pause(ctx, 2*moment)
	return breaches("outcome is not called any more when Close has returned", s.book.afterwards())
}

func closeAgain(ctx context.Context, k kit) error {
	s, err := k.open(ctx, k.config)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.sendAndFlush(some); err != nil {
		return err
	}
	_ = s.end(patience)
	before := s.book.count(0)
	for range 2 {
		if err := s.end(0); err != nil {
			return fmt.Errorf("Close returns nil at once when it is called again, not: %w", err)
		}
	}
	if after := s.book.count(0); after != before {
		return fmt.Errorf("a second Close does nothing, and %d outcomes came of it", after-before)
	}
	return nil
}

// closeReleases lives a whole life under a label that every goroutine inherits from the one that started it, and then looks
// for the label: whatever else runs in this process at the same time has none. What a client starts once for all, such as
// a clock of its metrics, was started by the life before, without the label.
func closeReleases(ctx context.Context, k kit) error {
	const label = "fleetproof.conform"
	s, err := k.stage(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	config := s.bootstrapped(k.config)
	if err := k.live(ctx, config, s.topic); err != nil {
		return err
	}
	id := fmt.Sprintf("%p", s)
	pprof.Do(ctx, pprof.Labels(label, id), func(ctx context.Context) { err = k.live(ctx, config, s.topic) })
	if err != nil {
		return err
	}
	var left []string
	err = await(grace, func() (bool, error) {
		left = goroutines(label, id)
		return len(left) == 0, nil
	}, "every goroutine has ended")
	if err != nil {
		return breaches(fmt.Sprintf("no goroutine is left %s after Close", grace), left)
	}
	return nil
}

// live connects, sends, flushes and closes.
func (k kit) live(ctx context.Context, config producer.Config, topic string) error {
	c, err := k.start(ctx, config, topic)
	if err != nil {
		return err
	}
	err = c.sendAndFlush(some)
	_ = c.end(patience)
	return err
}

// goroutines are those with a label, each by the functions it is in, the innermost first.
func goroutines(label, value string) []string {
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil { // a strings.Builder takes everything
		return []string{err.Error()}
	}
	var found []string
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(block, fmt.Sprintf("%q:%q", label, value)) {
			continue
		}
		var functions []string
		for line := range strings.Lines(block) {
			// #	0x4a2b1c	net/http.(*Transport).dialConn+0x1c	/usr/lib/go/src/net/http/transport.go:1790
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) < 4 || fields[0] != "#" {
				continue
			}
			name, _, _ := strings.Cut(fields[2], "+0x")
			functions = append(functions, name)
		}
		if len(functions) > 0 {
			found = append(found, "a goroutine in "+strings.Join(functions, ", called by "))
		}
	}
	return found
}
