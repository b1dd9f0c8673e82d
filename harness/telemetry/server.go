package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readHeaderTimeout is how long a client may take to ask: a connection that says nothing is not kept.
const readHeaderTimeout = 5 * time.Second

// Handler answers with the metrics as they are at that moment.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Server offers the metrics over HTTP at /metrics.
type Server struct {
	http     *http.Server
	address  net.Addr
	finished chan error
}

// Serve listens on the address, host:port, and answers from then on. ctx bounds the listening only; Close ends the
// server. The error says that the address cannot be listened on, as when its port is in use.
func (m *Metrics) Serve(ctx context.Context, address string) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	s := &Server{
		http:     &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout},
		address:  listener.Addr(),
		finished: make(chan error, 1),
	}
	go func() { s.finished <- s.http.Serve(listener) }()
	return s, nil
}

// URL is where the metrics are.
func (s *Server) URL() string { return "http://" + s.address.String() + "/metrics" }

// Close stops answering and returns when nothing of the server is left. The error is what ended the server before, if
// anything did. A nil server is closed already.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	closing := s.http.Close()
	if err := <-s.finished; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return closing
}
