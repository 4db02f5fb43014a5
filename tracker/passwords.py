"""Passwords of people, hashed with argon2id by the parameters of RFC 9106 (section 4, second).

Each hash takes 64 MB for a tenth of a second: only a few are made at once.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tracker.turns import Turns

AT_ONCE, WAITING = 4, 12
"""By each process; fewer threads than serve requests, so that pages go on while many sign in."""
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_turns = Turns(AT_ONCE, WAITING)


def hash_password(password: str) -> str:
    """What may be kept of a password. Raises BusyError."""
    with _turns.take():
        return _hasher.hash(password)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether this is the password; without any it takes just as long, and is False.

    Raises BusyError.
    """
    hashed, is_somebodys = hashed or _nobodys(), hashed is not None
    try:
        with _turns.take():
            return _hasher.verify(hashed, password) and is_somebodys
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    # Not made when this is imported: commands would start later by the time that a hash takes.
    return hash_password("nobody has this password")
