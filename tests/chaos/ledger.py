"""The ledger of a run: each hit that was sent, what it should become, and whether it got its 204.

In memory for the checks, and line by line in a file for whoever looks into a failed run.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from uuid import UUID


class Kind(StrEnum):
    """What a hit is made to become."""

    GOOD = "good"  # stored
    HELD = "held"  # held, and stored once its version can be used
    WRONG = "wrong"  # quarantined, as its data is not what the version says; the next takes it
    FUTURE = "future"  # quarantined: its id is of a clock that is days ahead
    NOBODY = "nobody"  # dropped: it has no identifier
    OLD = "old"  # stored, and deleted as it is older than its event may be
    FORGOTTEN = "forgotten"  # stored or dropped: its visitor is erased, sooner or later


@dataclass(slots=True)
class Entry:
    """One hit. attempts: how often a request with it was begun."""

    kind: Kind
    attempts: int = 0
    acknowledged: bool = False


@dataclass
class Ledger:
    """All hits of a run, by id, and what became of the requests that carried them."""

    path: Path
    entries: dict[UUID, Entry] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    refused_for_good: list[str] = field(default_factory=list)
    forgotten: int = 0
    """Whose hits are made now, of the visitors that are erased one after the other."""

    def __enter__(self) -> "Ledger":
        self._file = self.path.open("w", buffering=1, encoding="ascii")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for id_ in self.unacknowledged:
            self._write("unacknowledged", id_)
        self._file.close()

    @property
    def acknowledged(self) -> list[UUID]:
        return [id_ for id_, entry in self.entries.items() if entry.acknowledged]

    @property
    def unacknowledged(self) -> list[UUID]:
        return [id_ for id_, entry in self.entries.items() if not entry.acknowledged]

    def made(self, id_: UUID, kind: Kind) -> None:
        self.entries[id_] = Entry(kind)

    def sending(self, ids: Iterable[UUID]) -> None:
        for id_ in ids:
            self.entries[id_].attempts += 1

    def got_204(self, ids: Iterable[UUID]) -> None:
        for id_ in ids:
            if not self.entries[id_].acknowledged:
                self.entries[id_].acknowledged = True
                self._write("acknowledged", id_)

    def _write(self, what: str, id_: UUID) -> None:
        self._file.write(f"{time.time():.3f} {what} {id_} {self.entries[id_].kind}\n")
