"""What the installation's secret key is used for. The collector has none of it."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

from tracker.rules.keyspaces import Identity
from tracker.settings import Settings, SettingsError

SHORTEST_KEY = 32
"""Characters of a secret key: as many as 128 random bits have in hexadecimal."""


class Vault:
    """Keys derived from the secret key, each for one purpose. Raises SettingsError without one.

    `token_key` signs access tokens.
    """

    def __init__(self, settings: Settings) -> None:
        if len(settings.secret_key) < SHORTEST_KEY:
            raise SettingsError(
                f"PINTAG_SECRET_KEY must be set, to at least {SHORTEST_KEY} random characters.\n"
                "Make one and keep it as you keep a backup: openssl rand -hex 32"
            )
        self._secret = settings.secret_key.encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self._derive("encryption")))
        self._erasure_key = self._derive("erasure")
        self.token_key = self._derive("tokens")

    def encrypt(self, secret: str) -> bytes:
        """A secret as it may lie in the database."""
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, encrypted: bytes) -> str:
        """The secret again. Raises SettingsError where the secret key is another than then."""
        try:
            return self._fernet.decrypt(encrypted).decode()
        except InvalidToken:
            raise SettingsError(
                "PINTAG_SECRET_KEY is not the one that this database's secrets were encrypted with."
                "\nSet the earlier one again."
            ) from None

    def erased_hash(self, section_id: int, identity: Identity) -> bytes:
        """What remains of an erased identifier: enough to know it again, not to read it."""
        name = f"{section_id}\n{identity.keyspace}\n{identity.key}"
        return hmac.digest(self._erasure_key, name.encode(), hashlib.sha256)

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"pintag {purpose}".encode(), hashlib.sha256)
