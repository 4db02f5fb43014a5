"""Accounts of people: names, passwords, roles, and how long a session lasts."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

MAX_NAME = 100
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
"""Characters. NIST SP 800-63B (5.1.1.2) wants at least 8 and no rules about their kinds."""
LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(days=30)
"""From its making, however often it is used."""
SESSION_IDLE = timedelta(days=7)
"""Without a page being asked for."""


class Role(StrEnum):
    """What somebody may do in a section; each role may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]

    def includes(self, other: "Role") -> bool:
        """Whether whoever has this role may do what the other one may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Role)
_MEANINGS = {
    Role.VIEWER: "sees events, profiles and what became of hits",
    Role.EDITOR: "defines events and replays the quarantine, too",
    Role.OWNER: "hides, erases, exports and invites, too",
}


OTHERS = ("cli:", "api:")
"""What names in the audit log begin with that are no accounts: commands' users, API clients."""


class AccountError(ValueError):
    """A name or password can't be used; the message says what to do."""


def check_name(name: str) -> str:
    """An account's name as it is kept: without white space around it. Raises AccountError."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise AccountError(f"A name has 1 to {MAX_NAME} characters that can be printed.")
    if name.casefold().startswith(OTHERS):
        raise AccountError(f"No name begins with {' or '.join(OTHERS)}, as others do in the log.")
    return name


def check_password(password: str, name: str) -> None:
    """Refuse a password that is too short, too long, or the name. Raises AccountError."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(f"A password has at most {LONGEST_PASSWORD} characters.")
    if password.casefold() == name.casefold():
        raise AccountError("Choose a password that is not your name.")


def role_in(roles: Mapping[int | None, Role], section_id: int) -> Role | None:
    """The role in a section, of roles by section, where None stands for all of them."""
    found = [role for role in (roles.get(section_id), roles.get(None)) if role is not None]
    return max(found, key=_ORDER.index, default=None)


def keeps_an_owner(owners: Collection[int], leaving: int) -> bool:
    """Whether nobody is locked out when one account is no owner of all sections any more.

    owners: those who own all sections and can sign in.
    """
    return leaving not in owners or len(owners) > 1


def is_alive(created_at: datetime, used_at: datetime, now: datetime) -> bool:
    """Whether a session still counts."""
    return now - created_at < SESSION_LIFE and now - used_at < SESSION_IDLE
