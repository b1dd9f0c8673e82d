Feature: Motors of somebody else's plant

  Scenario Outline: <motors> motors are read
    Given a fleet "motors" of <motors> devices with sensor "temperature" every 100ms
    And the load holds 1x for 1s
    And the settings:
      """ yaml
      oracle: {stall_limit: 10s, lag_limit: 2s}
      """
    When the scenario runs
    Then every promise of the configuration holds
    And success_rate == 100%

    Examples:
      | motors |
      | 10     |
      | 20     |

  @slow
  Scenario: Motors are read for an hour
    Given a fleet "motors" of 20 devices with sensor "temperature" every 100ms
    And the load holds 1x for 1h
    When the scenario runs
    Then every promise of the configuration holds
