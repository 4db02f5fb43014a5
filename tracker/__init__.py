"""Everything that Pintag's processes share, the collector and the web process.

Imports point one way (tests/test_layout.py enforces it):
rules <- stores <- snippets <- actions <- collector, api, pages <- embedded, cli.
"""

__version__ = "0.1.0"
