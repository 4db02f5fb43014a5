"""Keyspaces: the kinds of identifiers, and the one spelling under which each key is kept."""

import re
import unicodedata
from typing import NamedTuple

from tracker.rules.described import Described

MAX_KEY = 200
"""Characters of a key; of an e-mail address fewer are usual, and RFC 5321 allows 254."""
MAX_EMAIL = 254
_MAX_WRITTEN = 4 * MAX_EMAIL
"""Before NFC, which makes one character of up to four, and takes the square of the length."""

_PHONE_FILLERS = re.compile(r"[ \u00a0()./-]")
_TRUNK_ZERO = re.compile(r"(?<=[0-9])[ \u00a0]*\( ?0 ?\)")
"""The zero that is dialled within the country only: `+46 (0)70` is 46 70 to everybody else."""
_MSISDN = re.compile(r"[1-9][0-9]{5,14}")  # ITU-T E.164: at most 15 digits, country code first
_UNSHOWABLE = {"Cc", "Cs", "Zl", "Zp"}


class BadKeyError(ValueError):
    """A key that its keyspace can't take; the message says what one looks like."""


class Keyspace(Described):
    """A kind of identifier; `.many` says whether a profile may hold several of it."""

    many: bool
    meaning: str

    WEB = "web", True, "A visitor id, minted by the snippet in a browser."
    EMAIL = "email", False, "An e-mail address, kept in lower case."
    MOBILE = "mobile", False, "A mobile number in digits, country code first (MSISDN)."
    CRM_ID = "crm-id", False, "The id of a person in a customer database; case counts."

    def discriminator(self, prefix: str) -> str:
        """Its public name: the installation's prefix, `.keyspaces.` and the short name."""
        return f"{prefix}.keyspaces.{self.value}"


class Identity(NamedTuple):
    """An identifier by name: a key, as `normalise` made it, in a keyspace."""

    keyspace: Keyspace
    key: str


def find(name: str, prefix: str) -> Keyspace | None:
    """The keyspace of a discriminator or short name; None where there is none."""
    return _BY_NAME.get(name.removeprefix(f"{prefix}.keyspaces."))


def identity(keyspace: Keyspace, key: str) -> Identity:
    """The identifier that any spelling of its key names. Raises BadKeyError."""
    return Identity(keyspace, normalise(keyspace, key))


def normalise(keyspace: Keyspace, key: str) -> str:
    """The spelling under which a key is kept and found. Raises BadKeyError."""
    if keyspace is Keyspace.EMAIL:
        return _email(key)
    if keyspace is Keyspace.MOBILE:
        return _mobile(key)
    return _opaque(key if keyspace is Keyspace.WEB else key.strip())


def _email(key: str) -> str:
    written = key.strip()
    if len(written) <= _MAX_WRITTEN:
        address = unicodedata.normalize("NFC", written).lower()
        local, at, domain = address.rpartition("@")
        if at and local and domain and len(address) <= MAX_EMAIL and _is_plain(address):
            return address
    raise BadKeyError("An e-mail address looks like ann@example.com.")


def _mobile(key: str) -> str:
    number = _TRUNK_ZERO.sub("", key, count=1)
    digits = _PHONE_FILLERS.sub("", number.strip()).removeprefix("+").removeprefix("00")
    if not _MSISDN.fullmatch(digits):
        raise BadKeyError("A mobile number has its country code and 6 to 15 digits: +46701234567.")
    return digits


def _opaque(key: str) -> str:
    if not 1 <= len(key) <= MAX_KEY or any(unicodedata.category(c) in _UNSHOWABLE for c in key):
        raise BadKeyError(f"A key has 1 to {MAX_KEY} characters, none of them a control character.")
    return key


def _is_plain(text: str) -> bool:
    return not any(c.isspace() or unicodedata.category(c) in _UNSHOWABLE for c in text)


_BY_NAME = {keyspace.value: keyspace for keyspace in Keyspace}
