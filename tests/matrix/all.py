"""All scenarios, in the order of the docs."""

from tests.matrix import leaving, networks, pages, storages
from tests.matrix.case import SCENARIOS

__all__ = ["SCENARIOS", "leaving", "networks", "pages", "storages"]
