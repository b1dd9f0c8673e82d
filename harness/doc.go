// Package harness plays a scenario: it is the sentence that the other folders are the words of.
//
//	scenario ─▶ generator ─▶ producer ─▶ broker ─▶ consume back ─▶ assertions ─▶ result
//	                          ▲ faults hurt the links and the brokers on the way
//
// It takes a scenario, as a file, a text or a value, and a constructor of the producer under test. It loads the scenario
// strictly (resolve.go), shows what would happen (plan.go), and plays it (run.go): start the broker, assign the reader
// before the first record, connect the producer, play load, faults and samples side by side (load.go says when a record
// is sent, handover.go how), heal, drain, read everything back with another client to the end offsets of after the drain
// (readback.go, finish.go), write down the evidence (evidence.go) and have it judged. It gives an assertions.Result and,
// where asked, evidence.json.
//
// Two rules hold throughout. A run only records; assertions.Judge decides, and decides the same from the file. And
// harness is the one place where the outcome of a record, or a record read back, becomes a line of the ledger
// (account.go): generator and assertions never meet.
//
// It knows how a run is wired. It does not know how a broker is started (harness/broker), how a fault works
// (harness/fault), which client is under test, what a sensor measures, what passes, or what a report looks like.
package harness
