// Package report turns a run's result into what people and programs read.
//
// It takes an assertions.Result and gives, each on an io.Writer of the caller's choice,
//
//	Text    the report that a person reads within a minute, verdict first
//	JSON    result.json, the same bytes for the same result
//	JUnit   what CI servers show, one test case for each expectation
//
// It decides nothing: a verdict is written as it was given, and what a report leaves out for brevity is in the JSON. It
// knows no scenario, no Kafka and no terminal; whether there are colours is the caller's to say.
//
// Numbers are shown in units that people read, with as many digits as it takes to tell a figure from its limit.
package report
