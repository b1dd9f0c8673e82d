Feature: Lost acknowledgements
  The broker has stored what it was sent, and its answer never arrives. The producer has to send again, and only one that
  numbers its records can do so without storing them twice.

  Background:
    Given a fleet "climate" of 1000 devices with sensors "temperature, humidity" every 1s
    And the load holds 2000/s for 5s
    And at 1s acknowledgements are lost for 3s at a rate of 5/s

  Scenario: An idempotent producer stores every record once
    Given an idempotent producer
    When the scenario runs
    Then no record is duplicated
    And no acknowledged record is lost
    And each device's records arrive in order
    And faults.lose-ack.hits >= 5

  Scenario: Any other producer loses nothing, but repeats itself
    Given a producer without idempotence
    When the scenario runs
    Then no acknowledged record is lost
    And duplicates > 0
