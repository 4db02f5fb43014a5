"""Warnings and errors, as people read them on one line: what happened, where, how often."""

from collections.abc import Iterable, Mapping
from traceback import format_exception_only
from typing import Any

import msgspec

LONGEST = 300
"""Characters of the words; the whole is in the process's log."""
_OWN = {"event", "level", "timestamp", "exc_info", "stack_info", "logger"}


class Trouble(msgspec.Struct, frozen=True):
    """A warning or an error of one process; times: how often it came in a row, last at `at_ms`."""

    level: str
    event: str
    words: str
    at_ms: int
    times: int = 1

    def is_like(self, other: "Trouble") -> bool:
        """Whether it is the same again, at another time."""
        mine, its = (self.level, self.event, self.words), (other.level, other.event, other.words)
        return mine == its


def read(fields: Mapping[str, Any], at_ms: int) -> Trouble:
    """What a log's line says: of a traceback only its last line, which is the error."""
    lines = str(fields.get("event", "")).strip().splitlines() or [""]
    words = [cause(str(fields["event"]))] if len(lines) > 1 else []
    words += [
        f"{name}: {value}"
        for name, value in fields.items()
        if name not in _OWN and not name.startswith("_")
    ]
    if error := _error(fields.get("exc_info")):
        words.append(error)
    said = " ".join(", ".join(words).split())
    return Trouble(str(fields.get("level", "error")), lines[0][:LONGEST], _cut(said), at_ms)


def _error(exc_info: object) -> str:
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if not isinstance(error, BaseException):
        return ""
    return format_exception_only(error)[-1].strip().partition("\n")[0]


def cause(traceback: str) -> str:
    """The exception's first line: PostgreSQL's go on with details."""
    last_call = traceback[traceback.rfind("\n  File ") + 1 :]
    unindented = [line for line in last_call.splitlines() if line and line[0] != " "]
    return unindented[0] if unindented else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def merged(troubles: Iterable[Trouble]) -> list[Trouble]:
    """The same one after the other as one that came so many times."""
    kept: list[Trouble] = []
    for one in troubles:
        if kept and kept[-1].is_like(one):
            times = kept.pop().times + one.times
            one = msgspec.structs.replace(one, times=times)
        kept.append(one)
    return kept
