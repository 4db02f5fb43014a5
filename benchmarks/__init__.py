"""Benchmarks of the whole path, beside references measured in the same run: docs/benchmarks.md."""
