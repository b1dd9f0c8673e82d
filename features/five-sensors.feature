Feature: Five sensors
  Temperature, humidity, pressure, switches and currents are reported as they are measured, and what is beyond its
  threshold raises exactly one alarm.

  Background:
    Given 2 buildings of 3 floors with 5 rooms each
    And a fleet "climate" of 180 devices with sensors "temperature, humidity and pressure" every 3s
    And a fleet "power" of 120 devices with sensors "switch and current" every 5s
    And alerts are published to "alerts" with 6 partitions

  Scenario: What is measured arrives unchanged, and every alarm once
    Given the load holds 2000/s for 2s
    When the scenario runs
    Then every promise of the configuration holds
    And corrupt == 0
    And alerts.missing == 0
    And alerts.spurious == 0

  Scenario: The same as Protobuf
    Given the settings:
      """ yaml
      producer: {encoding: protobuf}
      """
    And the load holds 2000/s for 2s
    When the scenario runs
    Then every promise of the configuration holds
    And corrupt == 0
    And alerts.missing == 0
    And alerts.spurious == 0

  Scenario: A day in three seconds
    Given the clock starts at "2026-01-12T00:00:00Z" and runs 28800 times faster
    And sensor "temperature" is normal with mean 21 and standard deviation 0.4
    And sensor "temperature" follows the "diurnal" trend with gain 3
    And sensor "temperature" follows the "weather" trend with gain 1.5
    And sensor "switch" is on with probability 0.6
    And sensor "switch" follows the "usage" trend with gain 0.3
    And sensor "current" follows the "load" trend with gain 1
    And the load holds 1000/s for 3s
    When the scenario runs
    Then every promise of the configuration holds
    And alerts.missing == 0
    And alerts.spurious == 0

  Scenario: A sensor that nobody foresaw
    Given sensor "co2" is normal with mean 420 and standard deviation 15
    And sensor "door" is on with probability 0.2, drawn every 10s
    And a fleet "air" of 60 devices with sensors "co2 and door" every 1s
    And the load holds 1000/s for 1s
    When the scenario runs
    Then every promise of the configuration holds
