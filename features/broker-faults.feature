Feature: Brokers in trouble
  Brokers die, freeze and get lost. What was acknowledged survives it; the rest waits, and arrives.

  Scenario: One of three brokers crashes and comes back with its log
    Given 3 embedded brokers
    And a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 2000/s for 6s
    And at 2s broker 2 crashes for 1s
    When the scenario runs
    Then every promise of the configuration holds
    And at least 100% of records are acknowledged
    And availability_gap > 500ms during fault crash
    And within 3s of fault "crash" the p90 end-to-end latency is back below 1s

  Scenario: The leader of a partition is cut off from its clients
    Given a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 2000/s for 5s
    And at 2s the leader of partition 0 is cut off for 1s
    When the scenario runs
    Then every promise of the configuration holds
    And faults.cut.hits > 0

  @docker
  Scenario: A leader is killed on real Kafka
    Given a Kafka cluster with 3 brokers
    And a topic "device-data" with 12 partitions and replication factor 3
    And a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load warms up at 500/s for 5s
    And the load holds 2000/s for 30s
    And at 10s the leader of partition 0 is killed for 5s as fault "crash"
    When the scenario runs
    Then every promise of the configuration holds
    And at least 100% of records are acknowledged
    And availability_gap > 1s during fault crash
