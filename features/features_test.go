package features

import (
	"slices"
	"testing"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/harness/broker"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func TestMain(m *testing.M) {
	// Sarama's metrics keep one goroutine for the whole process.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

// shipped plays the features that come with fleetproof. Machines that run tests are busy: only a pause of seconds, or
// half of the load, keeps a verdict from being given.
func shipped(t *testing.T, tags string, concurrency int) error {
	t.Helper()
	return Suite{
		Producers: []producer.Kind{sarama.Kind(), franz.Kind()},
		Overrides: harness.Overrides{Set: []string{"oracle.stall_limit=10s", "oracle.lag_limit=2s", "oracle.achieved_floor=50%"}},
		Out:       t.TempDir(),
		Godog:     godog.Options{FS: Files, Tags: tags, Format: "progress", NoColors: true, Output: t.Output(), Concurrency: concurrency, TestingT: t},
	}.Run(t.Context())
}

func TestShipped(t *testing.T) {
	require.NoError(t, shipped(t, "~@docker", 2))
}

func TestShippedOnKafka(t *testing.T) {
	dockertest.Need(t)
	require.NoError(t, shipped(t, "@docker", 1))
}

// TestShippedAreRight resolves every scenario, those for Docker too, and holds them to being tagged as such.
func TestShippedAreRight(t *testing.T) {
	options := godog.Options{FS: Files, Paths: []string{"."}}
	p, err := Suite{}.open(options)
	require.NoError(t, err)
	parsed, err := godog.TestSuite{Options: &options}.RetrieveFeatures()
	require.NoError(t, err)
	require.Len(t, parsed, 10)
	onDocker := 0
	for _, feature := range parsed {
		for _, pickle := range feature.Pickles {
			r, err := p.book.script(pickle, p.places, Files).draft.Resolve(harness.Overrides{})
			require.NoError(t, err)
			tagged := slices.Contains(r.Tags, "docker")
			assert.Equal(t, r.Broker.Kind == broker.Docker, tagged, pickle.Name)
			if tagged {
				onDocker++
			}
		}
	}
	assert.Equal(t, 1, onDocker)
}
