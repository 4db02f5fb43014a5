"""What a run tells: a line a fault as it goes, a table and the verdict at the end."""

import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.chaos.checks import Findings
from tests.chaos.ledger import Ledger

_SHOWN = ("503", "connection lost", "no answer in time", "refused")


@dataclass
class Struck:
    """A fault, or several at once, as it went; before: what senders had got until then."""

    name: str
    before: Counter[str]
    began: float = field(default_factory=time.monotonic)
    mended: float = 0.0
    recovered: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)


class Report:
    def __init__(self) -> None:
        self._console = Console(width=150, highlight=False, markup=False)
        self._struck: list[Struck] = []
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        self._console.print(line)

    def begin(self) -> None:
        self._began = time.monotonic()
        self.say(f"{time.strftime('%T')} everything runs, hits are stored")

    def strikes(self, struck: Struck) -> None:
        at = struck.began - self._began
        self.say(f"{time.strftime('%T')} {at:6.1f} s  {struck.name}")

    def recovered(self, struck: Struck) -> None:
        self._struck.append(struck)
        lasted, took = struck.mended - struck.began, struck.recovered - struck.mended
        self.say(f"{'':19}lasted {lasted:.1f} s, recovered in {took:.1f} s")

    def finish(self, ledger: Ledger, findings: Findings) -> None:
        self._console.print(self._table())
        self._console.print(_counts(ledger, findings))
        for note in findings.notes:
            self.say(f"Note: {note}")
        for violation in findings.violations:
            self.say(f"VIOLATION: {violation}")
        if not findings.violations:
            self.say("Everything acknowledged is there, once, and the audit balances.")

    def _table(self) -> Table:
        table = Table("fault", "at s", "lasted s", "recovered in s", "204", *_SHOWN)
        for struck in self._struck:
            table.add_row(
                struck.name,
                f"{struck.began - self._began:.1f}",
                f"{struck.mended - struck.began:.1f}",
                f"{struck.recovered - struck.mended:.1f}",
                *(str(struck.answers[answer]) for answer in ("204", *_SHOWN)),
            )
        return table


def _counts(ledger: Ledger, findings: Findings) -> str:
    made = Counter(entry.kind.value for entry in ledger.entries.values() if entry.acknowledged)
    attempts = sum(entry.attempts for entry in ledger.entries.values())
    states = {str(state): hits for state, hits in findings.audit.states.items() if hits}
    reasons = {" ".join(reason): hits for reason, hits in findings.audit.reasons.items()}
    return "\n".join(
        (
            f"{len(ledger.entries)} hits, sent {attempts} times; acknowledged: {dict(made)};"
            f" without an answer: {len(ledger.unacknowledged)}",
            f"Requests by answer: {dict(ledger.answers.most_common())}",
            f"The audit: {states}, {reasons}",
        )
    )
