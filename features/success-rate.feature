Feature: Success rate
  Of what the fleet had to report, how much was acknowledged.

  Scenario: A calm cluster takes everything
    Given a fleet "climate" of 1000 devices with sensors "temperature, humidity" every 1s
    And zstd compression
    And the load holds 1000/s for 2s
    When the scenario runs
    Then at least 100% of records are acknowledged
    And achieved_rate >= 95%
    And no acknowledged record is lost
    And no record is duplicated

  Scenario: The shipped quickstart, smaller
    Given the scenario "quickstart"
    And the random seed 7
    And the fleet "climate" has 60 devices
    And the load warms up at 500/s for 1s
    And the load holds 500/s for 6s
    When the scenario runs
    Then at least 100% of records are acknowledged

  Scenario: Whoever does not wait for replicas is promised less
    Given a fleet "climate" of 500 devices with sensor "temperature" every 1s
    And a producer without idempotence
    And the producer uses acks 1
    And the load holds 1000/s for 1s
    When the scenario runs
    Then at least 99.9% of records are acknowledged
    And every promise of the configuration holds

  Scenario Outline: Whichever client sends: <client>
    Given the producer is "<client>"
    And a fleet "climate" of 500 devices with sensor "temperature" every 1s
    And the load holds 1000/s for 1s
    When the scenario runs
    Then at least 100% of records are acknowledged
    And every promise of the configuration holds

    Examples:
      | client |
      | sarama |
      | franz  |
