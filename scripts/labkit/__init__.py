"""What scripts/lab, scripts/run-tests and the tests of the kit share."""
