Feature: Fleets of any size
  A building starts with a hundred devices and may end with ten thousand. Whatever its size, every reading that was
  acknowledged is in the log: once, in order, on the partition of its device.

  Scenario Outline: A fleet of <devices> devices keeps every promise
    Given a fleet "climate" of <devices> devices with sensors "temperature, humidity" every 3s
    And the load holds 3x for 2s
    When the scenario runs
    Then every promise of the configuration holds
    And at least 100% of records are acknowledged
    And acked >= <records>

    Examples: each device reports about twice
      | devices | records |
      | 100     | 180     |
      | 300     | 560     |
      | 500     | 950     |
      | 1000    | 1950    |
      | 2000    | 3950    |
      | 5000    | 9950    |
      | 10000   | 19950   |
