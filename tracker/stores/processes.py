"""What processes say of themselves, in Redis: that they are there, how they are, what went wrong.

A hash has the newest report of each; a list the newest warnings and errors of all.
"""

from typing import Any

import msgspec
import redis

from tracker.rules.troubles import Trouble

PROCESSES = "pintag:processes"
ERRORS = "pintag:errors"
SILENT_MS = 15_000
"""Who reports nothing for so long, though it is to every five seconds, counts as not there."""
FORGOTTEN_MS = 3_600_000
MOST_ERRORS = 200
ERRORS_MS = 7 * 86_400_000
KINDS = ("web", "collector", "worker", "jobs")


class Report(msgspec.Struct, frozen=True):
    """A process as of `at_ms`, by its own clock.

    figures: totals since it started; with `/s` at the end of their name, what they grew each
    second during the last minute; and others, by kind.
    """

    kind: str
    host: str
    pid: int
    version: str
    started_ms: int
    at_ms: int
    figures: dict[str, float] = {}
    words: dict[str, str] = {}

    @property
    def name(self) -> str:
        """What tells it from all other processes."""
        return name_of(self.kind, self.host, self.pid)

    def figure(self, name: str) -> float:
        return self.figures.get(name, 0.0)

    def is_silent(self, now_ms: int) -> bool:
        """Whether it should have reported again by now: it hangs, or was killed."""
        return now_ms - self.at_ms > SILENT_MS


def name_of(kind: str, host: str, pid: int) -> str:
    return f"{kind}:{host}:{pid}"


class Reported(Trouble, frozen=True):
    """A warning or an error, and which process had it."""

    process: str = ""


_report = msgspec.json.Decoder(Report)
_reported = msgspec.json.Decoder(Reported)


def write(pipeline: Any, report: Report, troubles: list[Trouble]) -> None:
    """Put into a pipeline, of whichever client, what makes a report known. Nothing is sent yet."""
    pipeline.hset(PROCESSES, report.name, msgspec.json.encode(report))
    _write_troubles(pipeline, report.name, troubles)


def _write_troubles(pipeline: Any, process: str, troubles: list[Trouble]) -> None:
    if troubles:
        lines = [
            msgspec.json.encode({**msgspec.structs.asdict(one), "process": process})
            for one in troubles
        ]
        pipeline.lpush(ERRORS, *lines)
        pipeline.ltrim(ERRORS, 0, MOST_ERRORS - 1)
        pipeline.pexpire(ERRORS, ERRORS_MS)


def remove(pipeline: Any, report: Report) -> None:
    """Put into a pipeline what makes a process unknown that ends in good order."""
    pipeline.hdel(PROCESSES, report.name)


def bury(client: redis.Redis, host: str, pid: int, trouble: Trouble, teller: str) -> None:
    """Make a process unknown that died, and known that it did; teller: who says so."""
    pipeline = client.pipeline(transaction=False)
    pipeline.hdel(PROCESSES, *(name_of(kind, host, pid) for kind in KINDS))
    _write_troubles(pipeline, teller, [trouble])
    pipeline.execute()


def current(client: redis.Redis, now_ms: int) -> list[Report]:
    """All processes, silent ones too, but for those that were silent for an hour: they go."""
    found: Any = client.hgetall(PROCESSES)
    reports = {name: _report.decode(value) for name, value in found.items()}
    gone = [name for name, report in reports.items() if now_ms - report.at_ms > FORGOTTEN_MS]
    if gone:
        client.hdel(PROCESSES, *gone)
    kept = [report for name, report in reports.items() if name not in gone]
    return sorted(kept, key=lambda one: (KINDS.index(one.kind), one.started_ms, one.name))


def errors(client: redis.Redis, now_ms: int) -> list[Reported]:
    """The newest warnings and errors of the last seven days; the same in a row are one."""
    lines: Any = client.lrange(ERRORS, 0, -1)
    kept: list[Reported] = []
    for one in map(_reported.decode, lines):
        if now_ms - one.at_ms > ERRORS_MS:
            continue
        newer = kept[-1] if kept else None
        if newer and newer.is_like(one) and newer.process == one.process:
            kept[-1] = msgspec.structs.replace(newer, times=newer.times + one.times)
        else:
            kept.append(one)
    return kept
