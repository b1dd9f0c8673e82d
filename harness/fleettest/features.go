package fleettest

import (
	"io/fs"
	"testing"
	"time"

	"github.com/cucumber/godog"

	"github.com/fleetproof/fleetproof/features"
	"github.com/fleetproof/fleetproof/harness/fleettest/dockertest"
)

// dockerTag is the tag of the Gherkin scenarios that need Docker.
const dockerTag = "@docker"

// Features plays the Gherkin features of a file system, all its folders, one scenario after the other, and makes each a
// subtest with the name of the scenario. What does not pass fails it, in the judge's words. Those tagged @docker are played
// in a subtest "docker", which is skipped where there is no Docker, unless FLEETPROOF_REQUIRE_DOCKER=1 forbids that.
//
// A feature with mistakes fails the test before anything is started, and so does one that has no scenario with
// Options.Tags anywhere: a test that proves nothing must not be green. What cannot be decided is said in a feature, by its
// own step, so that Options.AllowInconclusive must be empty.
//
// Artefacts are as with Run, with a folder for each scenario. When the test's deadline comes near, what was sent is
// judged, and the test fails as interrupted.
func Features(t *testing.T, fsys fs.FS, options Options) {
	t.Helper()
	if len(options.AllowInconclusive) > 0 {
		t.Fatal("Options.AllowInconclusive is for Run and RunAll: a feature has a step for what cannot be decided")
	}
	overrides, kinds, err := options.prepare()
	if err != nil {
		t.Fatal(err)
	}
	suite := features.Suite{
		Godog:     godog.Options{FS: fsys, Tags: options.Tags, Format: "pretty", NoColors: true},
		Producers: kinds, Overrides: overrides, External: options.AllowExternal,
	}
	if err := suite.Check(); err != nil {
		t.Fatal(err)
	}
	anywhere, onDocker := tagged(suite, "~"+dockerTag), tagged(suite, dockerTag)
	if anywhere.Check() == nil { // there is something in it
		playFeatures(t, anywhere)
	}
	if onDocker.Check() == nil {
		t.Run("docker", func(t *testing.T) {
			dockertest.Need(t)
			playFeatures(t, onDocker)
		})
	}
}

// tagged is the part of a suite that has one more tag.
func tagged(suite features.Suite, tag string) features.Suite {
	if suite.Godog.Tags != "" {
		tag = suite.Godog.Tags + " && " + tag
	}
	suite.Godog.Tags = tag
	return suite
}

// finish is what a scenario of a feature has for healing, draining and being judged when the test's deadline comes near.
const finish = time.Minute

// playFeatures plays a suite under a test.
func playFeatures(t *testing.T, suite features.Suite) {
	t.Helper()
	ctx, cancel := inTime(t, finish)
	defer cancel()
	suite.Out = artefacts(t)
	suite.Godog.TestingT, suite.Godog.Output = t, t.Output()
	if err := suite.Run(ctx); err != nil {
		t.Error(err)
		t.Logf("the artefacts of these features are in %s", suite.Out)
	}
}
