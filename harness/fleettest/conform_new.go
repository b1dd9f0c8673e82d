package fleettest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/fleetproof/fleetproof/producer"
)

func newClauses() []clause {
	return []clause{
		{"fails within its context where nobody listens", newAlone},
		{"fails within its context where nobody answers", newUnanswered},
		{"refuses settings that do not exist", newRefuses},
	}
}

// fails wants New to return an error, at the latest soon after the end of its context.
func (k kit) fails(ctx context.Context, config producer.Config, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	connected := make(chan producer.Producer, 1)
	err := bounded(ctx, "New", func(ctx context.Context) error {
		p, err := k.connect(ctx, config, func(producer.Outcome) {})
		connected <- p
		return err
	})
	var hung *hang
	if errors.As(err, &hung) {
		return err
	}
	if p := <-connected; err == nil {
		if p != nil {
			c := client{producer: p}
			_ = c.end(short)
		}
		return errors.New("no error from New")
	}
	return nil
}

// nobody is an address where nobody listens: TCP's port 1. A port that was free a moment ago may be anybody's now.
const nobody = "127.0.0.1:1"

func newAlone(ctx context.Context, k kit) error {
	config := k.config
	config.Bootstrap = []string{nobody}
	if err := k.fails(ctx, config, short); err != nil {
		return fmt.Errorf("connect where nobody listens: New returns when it is ready to accept records, or an error: %w", err)
	}
	return nil
}

func newUnanswered(ctx context.Context, k kit) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var open []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, conn)
		}
	})
	defer func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range open {
			_ = conn.Close()
		}
	}()
	config := k.config
	config.Bootstrap = []string{listener.Addr().String()}
	if err := k.fails(ctx, config, short); err != nil {
		return fmt.Errorf("connect where nobody answers: New returns when it is ready to accept records, or an error: %w", err)
	}
	return nil
}

func newRefuses(ctx context.Context, k kit) error {
	s, err := k.stage(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var found []string
	for _, wrong := range []struct {
		setting string
		change  func(*producer.Config)
	}{
		{"acks: 2", func(c *producer.Config) { c.Acks = "2" }},
		{"compression: brotli", func(c *producer.Config) { c.Compression = "brotli" }},
		{"partitioner: dice", func(c *producer.Config) { c.Partitioner = "dice" }},
	} {
		config := s.bootstrapped(k.config)
		wrong.change(&config)
		if err := k.fails(ctx, config, patience); err != nil {
			found = append(found, fmt.Sprintf("%s: %v", wrong.setting, err))
		}
	}
	return breaches("a setting that the client cannot follow is an error of New", found)
}
