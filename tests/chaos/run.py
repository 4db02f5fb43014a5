"""One run: start everything, send, strike, mend, wait for recovery, again and again; then judge."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.chaos import checks, chores, clocks, disks
from tests.chaos.faults import ChaosError, Fault, deck
from tests.chaos.ledger import Ledger
from tests.chaos.load import SENDERS, Sender
from tests.chaos.report import Report, Struck
from tests.chaos.site import Site

PATIENCE = 120.0
"""Seconds within which everything must have recovered from a fault."""


@dataclass(frozen=True, slots=True)
class Plan:
    """only: part of the names of the faults that are wanted."""

    seconds: float
    seed: int
    only: str = ""


@dataclass
class Run:
    plan: Plan
    root: Path
    report: Report = field(default_factory=Report)

    async def go(self) -> bool:
        """Whether nothing was lost, counted twice, or stuck."""
        with_disks = disks.can_mount()
        if not with_disks:
            self.report.say("No disks can be mounted here: none is filled, no power is cut.")
        with_clocks = clocks.can_be_skewed()
        if not with_clocks:
            self.report.say("There is no C compiler here: the processes' clocks stay right.")
        with self._supervisors_log() as log, Ledger(self.root / "ledger.txt") as ledger:
            site = Site(self.root, lambda line: log.append(line), with_disks, with_clocks)
            try:
                await site.prepare(timedelta(seconds=self.plan.seconds * 0.6))
                violations = await self._under_load(site, ledger)
                findings = await asyncio.to_thread(checks.find, site.settings)
            finally:
                await site.close()
        checks.judge(findings, ledger)
        findings.violations += violations
        self.report.finish(ledger, findings)
        return not findings.violations

    async def _under_load(self, site: Site, ledger: Ledger) -> list[str]:
        """Send all the while; returns what went wrong on the way."""
        stop, seed = asyncio.Event(), self.plan.seed
        dice = [random.Random(f"{seed}-{n}") for n in range(SENDERS + 1)]
        senders = [Sender(n, site.target, ledger, dice[n]) for n in range(SENDERS)]
        site.senders = senders
        sending = [asyncio.create_task(sender.run(stop)) for sender in senders]
        try:
            await self._recovery(site, senders)
            self.report.begin()
            sending.append(asyncio.create_task(chores.run(site.settings, ledger, dice[-1])))
            await self._strike_all(site, ledger, senders)
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*sending[:-1])
            sending[-1].cancel()
            drained = await asyncio.to_thread(checks.drain, site.settings, PATIENCE)
            self.report.say(f"The queue was empty {drained:.1f} s after the last hit.")
            await asyncio.to_thread(chores.finish, site.settings, ledger, PATIENCE)
        except (ChaosError, TimeoutError) as error:
            return [str(error) or "the senders did not get rid of all hits"]
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        return []

    async def _strike_all(self, site: Site, ledger: Ledger, senders: list[Sender]) -> None:
        dice = random.Random(self.plan.seed)
        until = time.monotonic() + self.plan.seconds
        for faults in deck(dice, bool(site.disks), bool(site.clocks), self.plan.only):
            await asyncio.sleep(dice.uniform(0.2, 1.5))
            if time.monotonic() > until:
                return
            await self._strike(faults, site, ledger, senders)

    async def _strike(
        self, faults: list[Fault], site: Site, ledger: Ledger, senders: list[Sender]
    ) -> None:
        struck = Struck(" + ".join(fault.name for fault in faults), ledger.answers.copy())
        self.report.strikes(struck)
        strikes = [fault.strike(site, ledger) for fault in faults]
        for failure in await asyncio.gather(*strikes, return_exceptions=True):
            if failure:
                raise failure
        struck.mended = time.monotonic()
        await self._recovery(site, senders, struck.name)
        struck.recovered = time.monotonic()
        struck.answers = ledger.answers - struck.before
        self.report.recovered(struck)

    async def _recovery(self, site: Site, senders: list[Sender], after: str = "the start") -> None:
        """Everything runs, every sender gets its hits acknowledged, and those are stored."""
        before = [sender.last for sender in senders]
        deadline = time.monotonic() + PATIENCE
        waits_for = "every process is up"
        while time.monotonic() < deadline:
            fresh: list[UUID] = [
                sender.last
                for sender, old in zip(senders, before, strict=True)
                if sender.last is not None and sender.last != old
            ]
            if not await site.is_up():
                waits_for = f"every process is up; {sorted(site.pids)} are"
            elif len(fresh) < len(senders):
                waits_for = "every sender is answered with 204"
            elif not await asyncio.to_thread(checks.are_stored, site.settings, fresh):
                waits_for = "hits are stored"
            else:
                return
            await asyncio.sleep(0.05)
        raise ChaosError(f"no recovery from {after} within {PATIENCE:.0f} s: {waits_for}")

    @contextmanager
    def _supervisors_log(self) -> Iterator[list[str]]:
        lines: list[str] = []
        try:
            yield lines
        finally:
            (self.root / "supervisor.txt").write_text("\n".join(lines), encoding="utf-8")
