"""Keeps processes running: starts again what dies, and stops all of them in their order."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from tracker.embedded.errors import PartError
from tracker.embedded.processes import Child, Part

_STEADY = 5.0  # seconds after which a process counts as having run well
_LONGEST_PAUSE = 30.0


class Supervisor:
    """The parts that run. `say` gets lines for people, `changed` is called after a restart.

    died: is told which part died, its process id, and how it ended.
    logs: the folder of their logs; None: they write where we do.
    """

    def __init__(
        self,
        logs: Path | None,
        say: Callable[[str], None] = lambda _line: None,
        changed: Callable[[], None] = lambda: None,
        died: Callable[[str, int, str], None] = lambda _name, _pid, _how: None,
    ) -> None:
        self.hurry = asyncio.Event()
        self._logs = logs
        self._say = say
        self._changed = changed
        self._died = died
        self._children: dict[str, Child] = {}
        self._leaving: list[Child] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of what runs now, by name."""
        return {name: child.pid for name, child in self._children.items() if child.pid}

    async def start(self, *parts: Part) -> None:
        """Start parts together, wait until all are ready, and keep them so.

        Raises PartError as soon as one of them fails, however long the others may take.
        """
        children = [self._child(part) for part in parts]
        self._children |= {child.part.name: child for child in children}
        launches = [asyncio.create_task(child.launch()) for child in children]
        try:
            await asyncio.gather(*launches)
        except BaseException:
            await _end(*launches)
            raise
        for child in children:
            self._look_after(child)

    async def replace(self, part: Part, within: float | None = None) -> None:
        """Start a part beside the one of its name, which is stopped once the new one is ready.

        within: seconds that it has for this, if not as many as for any other start. Raises
        PartError where it doesn't get ready; then nothing has changed.
        """
        old = self._children[part.name]
        new = self._child(replace(part, startup=part.startup if within is None else within))
        try:
            await new.launch()
        except BaseException:
            if new.pid:
                await new.stop(self.hurry)
            raise
        new.part = part
        await _end(self._keepers[part.name])
        self._children[part.name] = new
        self._leaving.append(old)
        self._look_after(new)
        self._tell()
        await old.stop(self.hurry)
        self._leaving.remove(old)

    async def stop(self) -> None:
        """Stop the parts by their `stops` numbers, each number once those before it are gone."""
        await _end(*self._keepers.values())
        running = sorted(
            (child for child in (*self._children.values(), *self._leaving) if child.pid),
            key=lambda child: child.part.stops,
        )
        for _, group in groupby(running, key=lambda child: child.part.stops):
            await asyncio.gather(*(child.stop(self.hurry) for child in group))

    def _child(self, part: Part) -> Child:
        return Child(part, self._logs / f"{part.name}.log" if self._logs else None)

    def _look_after(self, child: Child) -> None:
        self._keepers[child.part.name] = asyncio.create_task(self._keep(child))

    async def _keep(self, child: Child) -> None:
        failures = 0
        while True:
            since = asyncio.get_running_loop().time()
            await child.wait()
            self._died(child.part.name, child.last_pid, child.how_it_ended())
            steady = asyncio.get_running_loop().time() - since > _STEADY
            failures = 0 if steady else failures + 1
            await self._restart(child, failures)

    async def _restart(self, child: Child, failures: int) -> None:
        """Start it again: at once the first time, then after ever longer pauses."""
        name, how = child.part.name, child.how_it_ended()
        pause = min(_LONGEST_PAUSE, 0.5 * 2**failures) if failures > 1 else 0.0
        see = f" (see {child.log})" if child.log else ""
        if pause:
            self._tell(f"{name} {how}; starting it again in {pause:.0f} s{see}")
        await asyncio.sleep(pause)
        try:
            await child.launch()
        except PartError as failure:
            self._tell(str(failure))
        else:
            self._tell(f"{name} {how}; started again")

    def _tell(self, line: str = "") -> None:
        """Whoever can't be told, as a disk is full, keeps nothing from running."""
        with suppress(OSError):
            if line:
                self._say(line)
        with suppress(OSError):
            self._changed()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
