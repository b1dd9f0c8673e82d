Feature: Fleets of any size
  A building starts with a hundred devices and may end with ten thousand. Whatever its size, every reading that was
  acknowledged is in the log: once, in order, on the partition of its device.

  Scenario Outline: A fleet of <devices> devices keeps every promise
    Given a fleet "climate" of <devices> devices with sensors "temperature, humidity" every 10s
    And the load holds 5x for 2s
    When the scenario runs
    Then every promise of the configuration holds
    And every record that was sent is acknowledged
    And acked >= <records>

    Examples: each device reports once
      | devices | records |
      | 100     | 90      |
      | 300     | 280     |
      | 500     | 480     |
      | 1000    | 980     |
      | 2000    | 1980    |
      | 5000    | 4980    |
      | 10000   | 9980    |
