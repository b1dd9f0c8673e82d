package telemetry

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// get asks without keeping the connection, so that no goroutine outlives the test.
func get(t *testing.T, url, accept string) (status int, body string, kind string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header.Set("Accept", accept)
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(page), response.Header.Get("Content-Type")
}

func TestServe(t *testing.T) {
	m := New()
	m.Devices(300)
	server, err := m.Serve(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)

	status, page, _ := get(t, server.URL(), "text/plain")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "\nfleetproof_devices 300\n")
	assert.Contains(t, page, "fleetproof_send_latency_seconds_bucket{state=\"acked\",le=\"+Inf\"} 0\n")

	_, _, kind := get(t, server.URL(), "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	assert.Contains(t, kind, "application/vnd.google.protobuf", "which is how native histograms travel")

	require.NoError(t, server.Close())
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", server.address.String())
	assert.Error(t, err, "nobody listens any more")
}

func TestServeSaysThatThePortIsInUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = New().Serve(t.Context(), taken.Addr().String())
	require.Error(t, err)
	assert.Equal(t, "serve metrics: listen tcp "+taken.Addr().String()+": bind: address already in use", err.Error())
}

func TestServerSaysWhatEndedIt(t *testing.T) {
	server, err := New().Serve(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	server.finished <- net.ErrClosed
	assert.ErrorIs(t, server.Close(), net.ErrClosed)
	<-server.finished
}

func TestClosingNoServer(t *testing.T) {
	var none *Server
	require.NoError(t, none.Close())
}

func TestHandlerOfNilMetrics(t *testing.T) {
	var m *Metrics
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	assert.Equal(t, http.StatusNotFound, answer.Code)
}
