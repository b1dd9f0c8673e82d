Feature: Shutdown in the middle
  Somebody stops the fleet while it is reporting. What was handed over by then is finished, not dropped: nothing that is
  still buffered may get lost, and nothing may be in doubt.

  Scenario: In the middle of a burst
    Given a fleet "climate" of 1000 devices with sensors "temperature, humidity" every 1s
    And the load holds 2000/s for 30s
    And at 1s the load bursts to 8x for 10s
    When the scenario runs and is shut down after 2s
    Then every record that was sent is acknowledged
    And no acknowledged record is lost
    And no record is duplicated
    And sent > 2000

  Scenario: While a broker cannot be reached
    Given a fleet "climate" of 1000 devices with sensor "temperature" every 1s
    And the load holds 2000/s for 30s
    And at 1s broker 2 is cut off for 20s
    When the scenario runs and is shut down after 2s
    Then every record that was sent is acknowledged
    And no acknowledged record is lost
    And each device's records arrive in order
