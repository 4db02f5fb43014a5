"""Which versions quarantined hits may be replayed against: their own, or a later one of theirs."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from tracker.rules.moments import in_words


class _Version(Protocol):
    @property
    def number(self) -> int: ...
    @property
    def usable_from(self) -> datetime: ...


V = TypeVar("V", bound=_Version)


def replayable(owns: Collection[int], versions: Iterable[V], now: datetime) -> list[V]:
    """Those versions of their definition that all of the hits may be replayed against.

    owns: the numbers of the versions that the hits' snippets are pinned to. Their own one they may
    have whenever; before it can be used they are held. A later one only once it can be used: a held
    hit is released to its own version, so that the choice would be lost.
    """
    return [one for one in versions if all(_may(own, one, now) for own in owns)]


def _may(own: int, version: _Version, now: datetime) -> bool:
    return version.number == own or (version.number > own and version.usable_from <= now)


def refusal(
    owns: Collection[int], number: int, versions: Collection[_Version], now: datetime
) -> str:
    """Why hits may not be replayed against the version of a number; "" where they may."""
    wanted = next((one for one in versions if one.number == number), None)
    if wanted is None:
        there_are = ", ".join(str(one) for one in sorted(one.number for one in versions))
        return f"The event has no version {number}. The versions are: {there_are}."
    if replayable(owns, [wanted], now):
        return ""
    newest = max(owns)
    if newest > number:
        return (
            f"Hits of version {newest} can't be replayed against version {number}:"
            " only against their own, or a later one."
        )
    when = in_words(wanted.usable_from, now)
    return f"Version {number} can be used {when}: replay hits of earlier versions against it then."
