"""Random names: ids of what people and clients make, and the last part of discriminators."""

import secrets

from tracker.rules.definitions import random_base36

RANDOM_PART = 10
SECRET_PART = 20
"""For ids that nobody should guess."""


def version_id() -> str:
    return _mint("ver_")


def field_id() -> str:
    return _mint("fld_")


def discriminator_end() -> str:
    return _mint("")


def client_id() -> str:
    return _mint("client_", 16)


def erasure_id() -> str:
    return _mint("era_", SECRET_PART)


def export_id() -> str:
    return _mint("exp_", SECRET_PART)


def _mint(prefix: str, length: int = RANDOM_PART) -> str:
    return prefix + random_base36(length, secrets.randbelow)
