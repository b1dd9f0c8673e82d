package features

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/cucumber/godog"
	"github.com/spf13/pflag"

	"github.com/fleetproof/fleetproof/harness"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// This file is what the godog command looks for: it builds a program of its own from the exported functions here that take
// its contexts. From this folder, or in a project of one's own with a file like this one:
//
//	go run github.com/cucumber/godog/cmd/godog@v0.15.1 run -f pretty --tags '~@docker' lost-acknowledgements.feature

// InitializeTestSuite plays the features that the command line names in place of godog's own runner, which passes where no
// scenario matches, where tags are misspelt and, unless it is told otherwise, where a step is.
func InitializeTestSuite(*godog.TestSuiteContext) {
	suite := commanded()
	godog.BindCommandLineFlags("", &suite.Godog)
	pflag.Parse()
	suite.Godog.Paths = pflag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := suite.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// InitializeScenario lets the command list the steps: godog run --definitions.
func InitializeScenario(ctx *godog.ScenarioContext) { commanded().Initialize(ctx) }

func commanded() Suite {
	return Suite{Producers: []producer.Kind{sarama.Kind(), franz.Kind()}, Overrides: harness.Overrides{Env: os.LookupEnv}}
}
