"""Real PostgreSQL and Valkey servers out of wheels, so that there is nothing to install by hand."""

from tracker.embedded.errors import EmbeddedError
from tracker.embedded.run import Servers, servers, start

__all__ = ["EmbeddedError", "Servers", "servers", "start"]
