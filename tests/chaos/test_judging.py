"""The judge of a chaos run can say no; and a seed names its faults."""

import random
from collections import Counter
from itertools import islice
from pathlib import Path
from uuid import UUID

import pytest

from tests.chaos.checks import Findings, judge
from tests.chaos.faults import deck
from tests.chaos.ledger import Kind, Ledger
from tracker.actions.auditing import Audit

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One good hit that was acknowledged, and one that was not."""
    with Ledger(tmp_path / "ledger.txt") as ledger:
        for id_ in (ONE, OTHER):
            ledger.made(id_, Kind.GOOD)
            ledger.sending([id_])
        ledger.got_204([ONE])
    return ledger


def violations(ledger: Ledger, places: dict[UUID, list[str]], *problems: str) -> list[str]:
    audit = Audit(0, Counter(), Counter(), {}, 0, [], list(problems))
    findings = Findings(places, audit)
    judge(findings, ledger)
    return findings.violations


def test_what_was_not_acknowledged_may_be_there_or_not(ledger: Ledger) -> None:
    assert violations(ledger, {ONE: ["stored"]}) == []
    assert violations(ledger, {ONE: ["stored"], OTHER: ["stored"]}) == []


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ({}, f"1 acknowledged hits are missing: {ONE}"),
        ({ONE: ["stored", "invalid_data"]}, f"1 hits are in more than one place: {ONE}"),
        ({ONE: ["internal_error"]}, "1 hits became something else"),
        ({ONE: ["stored"], UUID(int=3): ["stored"]}, "1 hits are there that nobody sent"),
    ],
)
def test_complaints(ledger: Ledger, places: dict[UUID, list[str]], complaint: str) -> None:
    assert any(found.startswith(complaint) for found in violations(ledger, places))


@pytest.mark.parametrize(
    ("kind", "state"), [(Kind.OLD, "expired"), (Kind.FORGOTTEN, "erased"), (Kind.WRONG, "stored")]
)
def test_chores_are_seen_through(ledger: Ledger, kind: Kind, state: str) -> None:
    ledger.entries[ONE].kind = kind
    audit = Audit(0, Counter({state: 1}), Counter(), {}, 0, [], [])
    done = Findings({ONE: ["stored"]} if state == "stored" else {}, audit)
    undone = Findings({ONE: ["invalid_data"]}, audit)
    for findings in (done, undone):
        judge(findings, ledger)
    assert done.violations == []
    assert undone.violations[0].startswith("1 hits became something else")


@pytest.mark.parametrize("kind", [Kind.OLD, Kind.FORGOTTEN, Kind.NOBODY])
def test_what_leaves_no_rows_must_be_accounted_for(ledger: Ledger, kind: Kind) -> None:
    ledger.entries[ONE].kind = kind
    assert violations(ledger, {}) == [f"0 {kind} hits are accounted for, not between 1 and 1"]


def test_the_audit_s_problems_are_violations(ledger: Ledger) -> None:
    assert violations(ledger, {ONE: ["stored"]}, "partition 1: …") == ["the audit: partition 1: …"]


def test_nobody_may_be_refused_for_good(ledger: Ledger) -> None:
    ledger.refused_for_good.append("404")
    assert violations(ledger, {ONE: ["stored"]}) == ["requests were refused for good: ['404']"]


def test_a_seed_repeats_its_faults() -> None:
    first, again, other = (
        [
            [fault.name for fault in faults]
            for faults in islice(deck(random.Random(n), True, True), 60)
        ]
        for n in (1, 1, 2)
    )
    assert first == again != other
    names = {name for faults in first for name in faults}
    assert {"power cut valkey", "memory limit", "kill postgres", "clock of valkey"} <= names
    assert {"full disk of all logs", "cut senders off"} <= names


def test_the_ledger_s_file_says_what_has_no_answer(ledger: Ledger) -> None:
    lines = [line.split(" ", 1)[1] for line in ledger.path.read_text().splitlines()]
    assert lines == [f"acknowledged {ONE} good", f"unacknowledged {OTHER} good"]
