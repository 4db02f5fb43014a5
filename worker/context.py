"""What the steps know beside the hit: versions with their validators, and whom sections believe."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property

import psycopg

from tracker.rules.claims import Trust
from tracker.rules.keyspaces import Identity
from tracker.rules.mentions import mentioned
from tracker.rules.signing import Secrets, read_secrets
from tracker.rules.validation import Validator
from tracker.settings import Settings
from tracker.stores import catalog, sections
from tracker.stores.catalog import PinnedVersion, SectionRow
from tracker.vault import Vault


class Context:
    """The rules as of one revision, and validators as hits ask for them.

    now: the time by which hits are judged; who judges moves it on. erased: sections that erased
    somebody, with the hashes of the identifiers. A secret key is needed only where a section has
    a signing secret or erased somebody.
    """

    def __init__(self, settings: Settings) -> None:
        self.now = datetime.now(UTC)
        self.revision = -1
        self.pinned: Mapping[str, PinnedVersion] = {}
        self.prefix = ""
        self.trusts: Mapping[int, Trust] = {}
        self.erased: Mapping[int, set[bytes]] = {}
        self._settings = settings
        self._secrets: dict[bytes, Secrets] = {}
        self._validators: dict[int, Validator] = {}

    def refresh(self, connection: psycopg.Connection) -> None:
        """Read the catalogue again if the database's revision has moved.

        Raises SettingsError where the secret key is missing, or is another than before.
        """
        revision = catalog.revision(connection)
        if revision != self.revision:
            # Read after the revision: what is newer than it is only read once more.
            self.pinned = catalog.pinned_versions(connection)
            self.prefix = sections.installation(connection).prefix
            self.trusts = {row.id: self._trust(row) for row in catalog.sections(connection)}
            self.erased = catalog.erased(connection)
            if self.erased:
                _ = self.vault  # without a secret key, end here rather than at every hit
            self.revision = revision

    @cached_property
    def vault(self) -> Vault:
        return Vault(self._settings)

    def _trust(self, row: SectionRow) -> Trust:
        if row.signing_secret is None:
            return Trust(row.slug, None, row.trusts_pages, row.signed_tags)
        secrets = self._secrets.get(row.signing_secret)
        if secrets is None:
            secrets = read_secrets(self.vault.decrypt(row.signing_secret))
            self._secrets[row.signing_secret] = secrets
        return Trust(row.slug, secrets, row.trusts_pages, row.signed_tags)

    def erased_in(self, section_id: int, raw: bytes) -> set[Identity]:
        """Those identifiers, of all that a hit mentions, that the section erased."""
        hashes = self.erased.get(section_id)
        if not hashes:
            return set()
        found = mentioned(raw, self.prefix)
        return {one for one in found if self.vault.erased_hash(section_id, one) in hashes}

    def validator(self, pinned: PinnedVersion) -> Validator:
        """The version's validator, compiled at the first call: versions never change."""
        validator = self._validators.get(pinned.version_id)
        if validator is None:
            validator = self._validators[pinned.version_id] = Validator(pinned.read_fields())
        return validator
