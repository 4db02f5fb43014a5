"""What must be true: all that was acknowledged is there, once, and the books balance."""

import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from tests.chaos.ledger import Kind, Ledger
from tracker.actions import auditing
from tracker.actions.auditing import Audit
from tracker.settings import Settings
from tracker.stores import database, hit_queue

_FEW = 20
_EXPECTED = {  # once all chores are done; others leave no rows
    Kind.GOOD: "stored",
    Kind.HELD: "stored",
    Kind.WRONG: "stored",
    Kind.FUTURE: "id_time",
}
_TOLERATED = {"dead_letter"}
"""Reasons that a good hit may be quarantined for: three kills during one batch look like poison."""


@dataclass
class Findings:
    """What the stores have, by hit id, and everything that is wrong."""

    places: dict[UUID, list[str]]
    audit: Audit
    violations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def complain(self, what: str, ids: list[UUID]) -> None:
        if ids:
            more = f" and {len(ids) - _FEW} more" if len(ids) > _FEW else ""
            self.violations.append(f"{len(ids)} {what}: {', '.join(map(str, ids[:_FEW]))}{more}")


def are_stored(settings: Settings, ids: list[UUID]) -> bool:
    """Whether each of them has come as far as a row; False while PostgreSQL is away."""
    try:
        with database.connect(settings.database_url) as connection:
            query = "SELECT id FROM event WHERE id = ANY(%s)"
            return len(connection.execute(query, (ids,)).fetchall()) == len(ids)
    except psycopg.OperationalError:
        return False


def drain(settings: Settings, patience: float) -> float:
    """Wait until nothing is queued or held; returns the seconds. Raises TimeoutError."""
    began = time.monotonic()
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        while True:
            found = auditing.audit(connection, client)
            if not (found.queued or found.states["held"]):
                return time.monotonic() - began
            if time.monotonic() - began > patience:
                held = found.states["held"]
                raise TimeoutError(f"still {found.queued} queued and {held} held")
            time.sleep(0.2)


def find(settings: Settings) -> Findings:
    """Look where every hit is, and audit."""
    places: dict[UUID, list[str]] = {}
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        for place, query in _QUERIES.items():
            for id_, reason in connection.execute(query.encode()):
                places.setdefault(id_, []).append(reason or place)
        mixed = [id_ for (id_,) in connection.execute(_MIXED_UP)]
        findings = Findings(places, auditing.audit(connection, client))
    findings.complain("hits have the data of another one", mixed)
    return findings


_QUERIES = {
    "stored": "SELECT id, NULL FROM event",
    "held": "SELECT hit_id, NULL FROM held",
    "quarantined": "SELECT hit_id, reason FROM quarantine WHERE hit_id IS NOT NULL",
}
_MIXED_UP = (
    "SELECT id FROM event"
    " WHERE coalesce(data ->> 'reference', data ->> 'subject', data ->> 'stage', data ->> 'remark')"
    " IS DISTINCT FROM id::text"
)


def judge(findings: Findings, ledger: Ledger) -> None:
    """Compare the ledger with what was found."""
    _judge_acknowledged(findings, ledger)
    places, sent = findings.places, ledger.entries
    twice = [id_ for id_, where in places.items() if len(where) > 1]
    findings.complain("hits are in more than one place", twice)
    findings.complain("hits are there that nobody sent", [id_ for id_ in places if id_ not in sent])
    _judge_gone(findings, ledger)
    if ledger.refused_for_good:
        refused = ledger.refused_for_good[:_FEW]
        findings.violations.append(f"requests were refused for good: {refused}")
    for problem in (*findings.audit.problems, *findings.audit.losses):
        findings.violations.append(f"the audit: {problem}")


def _judge_acknowledged(findings: Findings, ledger: Ledger) -> None:
    missing, odd = [], Counter[tuple[Kind, str]]()
    wrong: list[UUID] = []
    for id_, entry in ledger.entries.items():
        expected = _EXPECTED.get(entry.kind)
        where = findings.places.get(id_, [])
        if not where and entry.acknowledged and expected:
            missing.append(id_)
        elif where and where != [expected]:
            odd[entry.kind, where[0]] += 1
            if where[0] not in _TOLERATED:
                wrong.append(id_)
    findings.complain("acknowledged hits are missing", missing)
    findings.complain(f"hits became something else ({dict(odd)})", wrong)
    if odd:
        findings.notes.append(f"not what they were made for: {dict(odd)}")


def _judge_gone(findings: Findings, ledger: Ledger) -> None:
    """They leave no rows, and each attempt may have counted."""
    states, reasons = findings.audit.states, findings.audit.reasons
    counts = {
        Kind.NOBODY: reasons["dropped", "no_identifier"],
        Kind.OLD: states["expired"],
        Kind.FORGOTTEN: states["erased"] + reasons["dropped", "erased"],
    }
    for kind, count in counts.items():
        of_kind = [entry for entry in ledger.entries.values() if entry.kind is kind]
        least, most = sum(e.acknowledged for e in of_kind), sum(e.attempts for e in of_kind)
        if not least <= count <= most:
            findings.violations.append(
                f"{count} {kind} hits are accounted for, not between {least} and {most}"
            )
