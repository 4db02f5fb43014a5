"""What the steps know beside the hit: the snippets' versions, with their compiled validators."""

from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg

from tracker.rules.validation import Validator
from tracker.stores import catalog
from tracker.stores.catalog import PinnedVersion


class Context:
    """Every snippet's pinned version as of one revision, and validators as hits ask for them.

    now: the time by which hits are judged; who judges moves it on.
    """

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.revision = -1
        self.pinned: Mapping[str, PinnedVersion] = {}
        self._validators: dict[int, Validator] = {}

    def refresh(self, connection: psycopg.Connection) -> None:
        """Read the catalogue again if the database's revision has moved."""
        revision = catalog.revision(connection)
        if revision != self.revision:
            # Read after the revision: what is newer than it is only read once more.
            self.pinned = catalog.pinned_versions(connection)
            self.revision = revision

    def validator(self, pinned: PinnedVersion) -> Validator:
        """The version's validator, compiled at the first call: versions never change."""
        validator = self._validators.get(pinned.version_id)
        if validator is None:
            validator = self._validators[pinned.version_id] = Validator(pinned.read_fields())
        return validator
