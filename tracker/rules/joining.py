"""Joining: which identifiers of a hit come to be on one profile, and which stay where they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tracker.rules.keyspaces import Keyspace


class Name(NamedTuple):
    """What names an identifier: its key, as `normalise` made it, in a keyspace of a section."""

    section_id: int
    keyspace: str
    key: str


class Plan(NamedTuple):
    """What to change: identifiers to make, on profiles, of which new ones have negative numbers;
    and profiles to empty into others.
    """

    made: dict[Name, int]
    moved: dict[int, int]


def plan(
    hits: Iterable[Sequence[Name]],
    profiles: Mapping[Name, int],
    taken: Mapping[int, Iterable[str]],
) -> Plan:
    """What hits that prove identifiers change, in their order.

    hits: the identifiers of each, its event's first, the visitor last; profiles: where those are
    that exist; taken: the keyspaces, all but `web`, in which these profiles have their one value.
    A profile without such a value is anonymous: nobody's yet.
    """
    people = _People(profiles, taken)
    for first, *rest in hits:
        people.join(first, rest)
    return Plan(people.made, people.moved)


class _People:
    def __init__(self, profiles: Mapping[Name, int], taken: Mapping[int, Iterable[str]]) -> None:
        self._profiles = dict(profiles)
        self._taken = {profile: set(keyspaces) for profile, keyspaces in taken.items()}
        self.made: dict[Name, int] = {}
        self.moved: dict[int, int] = {}

    def join(self, first: Name, rest: Sequence[Name]) -> None:
        home = self._home(first, rest)
        for name in rest:
            profile = self._profile(name)
            if profile is None:
                if self._has_room(home, name):
                    self._make(name, home)
            elif profile != home and self._is_anonymous(profile):
                self.moved[profile] = home

    def _home(self, first: Name, rest: Sequence[Name]) -> int:
        """The profile of the event's identifier, which is on one from here on.

        A new one goes to the first of the others' profiles that has room for it: it is the same
        person, or it is nobody's yet.
        """
        known = self._profile(first)
        if known is not None:
            return known
        homes = (self._profile(name) for name in rest if self._may_lead(name))
        home = next((p for p in homes if p is not None and self._has_room(p, first)), None)
        if home is None:
            home = -1 - len(self.made)
        self._make(first, home)
        return home

    def _may_lead(self, name: Name) -> bool:
        """A visitor id alone leads to no profile that is somebody's: computers are shared."""
        profile = self._profile(name)
        return name.keyspace != Keyspace.WEB or (
            profile is not None and self._is_anonymous(profile)
        )

    def _profile(self, name: Name) -> int | None:
        profile = self._profiles.get(name)
        return profile if profile is None else self.moved.get(profile, profile)

    def _is_anonymous(self, profile: int) -> bool:
        return not self._taken.get(profile)

    def _has_room(self, profile: int, name: Name) -> bool:
        return name.keyspace == Keyspace.WEB or name.keyspace not in self._taken.get(profile, ())

    def _make(self, name: Name, profile: int) -> None:
        self.made[name] = self._profiles[name] = profile
        if name.keyspace != Keyspace.WEB:
            self._taken.setdefault(profile, set()).add(name.keyspace)
