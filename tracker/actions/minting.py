"""Random names: ids of versions and fields, and the last part of discriminators."""

import secrets

from tracker.rules.definitions import random_base36

RANDOM_PART = 10


def version_id() -> str:
    return _mint("ver_")


def field_id() -> str:
    return _mint("fld_")


def discriminator_end() -> str:
    return _mint("")


def _mint(prefix: str) -> str:
    return prefix + random_base36(RANDOM_PART, secrets.randbelow)
