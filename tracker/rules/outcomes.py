"""What can become of a hit: a closed list of outcomes and, for two of them, of reasons."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from tracker.rules.described import Described


class Outcome(StrEnum):
    """What became of a hit. Every hit has exactly one at a time."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


def outcomes_of(
    keys: Iterable[tuple[object, UUID | None]], new: set[tuple[object, UUID | None]], first: Outcome
) -> list[Outcome]:
    """What became of rows that were written: `first`, or duplicates where they were not new.

    keys: their section or snippet key, and the hit's id; rows without an id are always new. Of
    rows with the same new key the first one is it.
    """
    left = set(new)
    outcomes = []
    for key in keys:
        is_new = key[1] is None or key in left
        left.discard(key)
        outcomes.append(first if is_new else Outcome.DUPLICATE)
    return outcomes


class Reason(Described):
    """Why a hit was quarantined or dropped; `reason.outcome` says which, `.meaning` says why."""

    outcome: Outcome
    meaning: str

    MALFORMED = (
        "malformed",
        Outcome.QUARANTINED,
        "The hit is not of the protocol's shape: a part is missing, wrong or out of range.",
    )
    UNKNOWN_SNIPPET = (
        "unknown_snippet",
        Outcome.QUARANTINED,
        "The database has no snippet with this key, though the collector's key table had one.",
    )
    ID_TIME = (
        "id_time",
        Outcome.QUARANTINED,
        "The time inside the hit's id is more than 30 days before, or one day after, its receipt,"
        " by the sender's clock, too.",
    )
    INVALID_DATA = (
        "invalid_data",
        Outcome.QUARANTINED,
        "The fields do not fit the version by which the hit was judged.",
    )
    BAD_CLAIM = (
        "bad_claim",
        Outcome.QUARANTINED,
        "A signed claim is not the section's, or it has expired and there is no other identifier.",
    )
    BAD_TAG = (
        "bad_tag",
        Outcome.QUARANTINED,
        "The section wants signed tags, and the hit's is missing, not the section's, or expired.",
    )
    INTERNAL_ERROR = (
        "internal_error",
        Outcome.QUARANTINED,
        "Our bug: a step raised an exception on this hit.",
    )
    DEAD_LETTER = (
        "dead_letter",
        Outcome.QUARANTINED,
        "The worker process died on this hit, again and again.",
    )
    BOT = (
        "bot",
        Outcome.DROPPED,
        "A known bot sent it, or a browser that fetched the page before anybody saw it.",
    )
    TEST = (
        "test",
        Outcome.DROPPED,
        "A snippet for trying out sent it; `pintag snippet watch` shows what it would have become.",
    )
    HIDDEN = ("hidden", Outcome.DROPPED, "The definition was hidden before the hit was processed.")
    ERASED = ("erased", Outcome.DROPPED, "The person it belongs to was erased.")
    NO_IDENTIFIER = (
        "no_identifier",
        Outcome.DROPPED,
        "The hit carries no identifier, so there is no profile it could be stored on.",
    )
