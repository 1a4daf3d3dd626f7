"""Test rigs: real processes and stores on the loopback address, for tests, benchmarks and the demo."""
