Feature: Overload
  Asked for more than the machine can generate, the harness does not flatter itself: nothing can be said about rates and
  latencies then. What was acknowledged is still accounted for, record by record.

  Scenario: Three million records a second
    Given a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 3000000/s for 1s
    When the scenario runs
    Then it cannot be decided whether achieved_rate >= 95%
    And it cannot be decided whether ack_latency.p99 < 1s
    And no acknowledged record is lost
    And no record is duplicated
