"""Chaos: a whole installation under load while its parts are killed, cut off, filled up, paused.

`python -m tests.chaos` (or `make chaos`); what it does and proves stands in docs/chaos.md.
"""
