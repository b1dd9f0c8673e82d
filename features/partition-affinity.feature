Feature: One device, one partition
  Only records on the same partition stay in order. So all records of a device must go to one, and it must be the one
  that everybody else computes from the device's name.

  Scenario Outline: With <partitions> partitions
    Given a topic "device-data" with <partitions> partitions
    And a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 3000/s for 1s
    When the scenario runs
    Then every device's records land on one partition
    And every record lands on the partition of its key
    And each device's records arrive in order
    And partition_skew < <skew>

    Examples: a thousand names never spread quite evenly
      | partitions | skew |
      | 6          | 1.3  |
      | 24         | 1.6  |

  Scenario: While a broker cannot be reached
    Given a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 3000/s for 3s
    And at 1s broker 2 is cut off for 1s
    When the scenario runs
    Then every device's records land on one partition
    And each device's records arrive in order
