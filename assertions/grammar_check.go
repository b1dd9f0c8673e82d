package assertions

import (
	"fmt"
	"slices"
	"strings"
)

// Names is what an expectation may refer to, and the setting under which it must have a meaning.
type Names struct {
	Stages    []string
	Faults    []string
	Anomalies []string
	Setting   Setting
}

// Check holds a parsed expectation against a scenario: an *UnknownName for a stage, fault or anomaly that does not
// exist, another error for a scope that the metric does not have or an expectation without a meaning under the setting.
func (e Expectation) Check(n Names) error {
	if e.Promised {
		return nil
	}
	metric, err := metricOf(e.Metric)
	if err != nil {
		return err
	}
	if err := e.checkName(n); err != nil {
		return err
	}
	if err := e.Scope.check(n); err != nil {
		return err
	}
	if allowed := metric.Scopes(); e.Scope.Kind != Everywhere && !slices.Contains(allowed, e.Scope.Kind) {
		return fmt.Errorf("%s cannot be asked %s: %s", e.subject(), e.Scope, metric.scopes.refusal())
	}
	if e.Aggregate == Slope && e.Scope.Kind == Within {
		return fmt.Errorf("%s cannot be asked %s: a slope takes minutes, which is no measure of single seconds", e.subject(), e.Scope)
	}
	return e.checkMeaning(n)
}

// checkName looks the metric's own name up: the hvac of anomalies.hvac.detected.
func (e Expectation) checkName(n Names) error {
	switch {
	case strings.HasPrefix(e.Metric, "anomalies."):
		return known("anomaly", e.Name, n.Anomalies)
	case strings.HasPrefix(e.Metric, "faults."):
		return known("fault", e.Name, n.Faults)
	default:
		return nil
	}
}

// check looks the scope's name up.
func (s Scope) check(n Names) error {
	switch s.Kind {
	case DuringStage:
		return known("stage", s.Name, n.Stages)
	case DuringFault, Within:
		return known("fault", s.Name, n.Faults)
	case DuringAnomaly:
		return known("anomaly", s.Name, n.Anomalies)
	default:
		return nil
	}
}

func known(kind, name string, names []string) error {
	if slices.Contains(names, name) {
		return nil
	}
	return &UnknownName{Kind: kind, Got: name, Known: names}
}

// checkMeaning refuses what the setting makes meaningless: an expectation that could never fail, or whose figure means
// something else than its name says.
func (e Expectation) checkMeaning(n Names) error {
	switch {
	case e.Metric == metricSuccessRate && n.Setting.Acks == "0":
		return fmt.Errorf("%s has no meaning with acks=0: "+
			"a record counts as acknowledged as soon as it is written to the socket", e.Metric)
	case e.Metric == offsetMismatches.String() && n.Setting.Acks == "0":
		return fmt.Errorf("%s has no meaning with acks=0: no offset is ever acknowledged", e.Metric)
	case e.Metric == wrongPartition.String() && !n.Setting.FixedPartition:
		return fmt.Errorf("%s has no meaning with the partitioner %s: it promises no partition to a key",
			e.Metric, n.Setting.Partitioner)
	case strings.HasPrefix(e.Metric, "alerts.") && !n.Setting.Alerts:
		return fmt.Errorf("%s has no meaning without alerts: the scenario names no topic for them", e.Metric)
	case e.Metric == metricRecoveryTime && len(n.Faults) == 0:
		return fmt.Errorf("%s has no meaning without a fault to recover from", e.Metric)
	default:
		return nil
	}
}
