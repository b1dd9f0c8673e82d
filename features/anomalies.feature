Feature: Bursts of anomalies
  What goes wrong in the field arrives as it happened, so that whoever reads the stream can find it: on every device that
  it touched, and nowhere else.

  Background:
    Given 2 buildings of 3 floors with 5 rooms each
    And a fleet "climate" of 180 devices with sensors "temperature, humidity, pressure" every 3s
    And a fleet "power" of 120 devices with sensors "switch, current" every 5s

  Scenario: A fire on one floor, and currents out of bounds in one building
    Given sensor "temperature" is normal with mean 25 and standard deviation 1
    And sensor "current" is normal with mean 2.5 and standard deviation 0.3
    And alerts are published to "alerts"
    And the settings:
      """ yaml
      sensors:
        humidity: {stddev: 2} # narrower than usual, so that only the anomalies raise alarms
        pressure: {stddev: 2}
      """
    And the load holds 36x for 7s
    And at 2s building 1 floor 2 shows a spike of 58 on "temperature" for 4s as anomaly "fire"
    And at 2s fleet "power" in building 2 shows a spike of 9.5 on "current" in 30% of the readings for 4s as anomaly "surge"
    When the scenario runs
    Then every injected anomaly is detected
    And anomalies.fire.injected > 100
    And alerts.missing == 0
    And alerts.spurious == 0
    And every promise of the configuration holds

  Scenario: Sensors that drift, freeze, fall silent and chatter
    Given the load holds 36x for 12s
    And at 2s building 2 shows a drift of -4/s on "humidity" for 8s
    And at 2s building 1 floor 1 shows a stuck on "pressure" for 8s
    And at 2s fleet "climate" in building 1 floor 3 shows a dropout on "humidity" for 8s
    And at 2s fleet "power" in building 1 shows a toggle on "switch" for 8s
    And at 2s fleet "power" in building 2 shows a noise of 6 on "current" for 8s
    When the scenario runs
    Then every injected anomaly is detected
    And every promise of the configuration holds
