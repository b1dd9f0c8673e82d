Feature: Latency objectives
  Latency counts from the moment at which a device wanted to report, not from when its turn came. The first second warms
  everything up and is not judged.

  Background:
    Given a fleet "climate" of 1000 devices with sensors "temperature, humidity" every 1s
    And the load warms up at 500/s for 1s

  Scenario: Through a climb and a burst
    Given the load ramps to 1000/s over 2s
    And the load holds 1000/s for 4s
    And at 4s the load bursts to 3x for 1s
    When the scenario runs
    Then the p50 end-to-end latency is below 500ms
    And during stage "hold" the p99 ack latency is below 1s
    And during stage "burst" the p99 end-to-end latency is below 2s
    And achieved_rate >= 95%

  Scenario: A slow broker is felt, and forgotten soon
    Given the load holds 1000/s for 7s
    And at 2s broker 1 answers 300ms later for 2s as fault "slow"
    When the scenario runs
    Then ack_latency.p90 > 200ms during fault slow
    And within 3s of fault "slow" the p90 end-to-end latency is back below 1s
    And no acknowledged record is lost
