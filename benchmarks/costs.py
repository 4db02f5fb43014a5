"""What processes cost: CPU seconds and memory, of a process with all that it started.

Read from /proc, so the benchmarks need Linux.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

_TICKS = os.sysconf("SC_CLK_TCK")
_NONE: Mapping[str, Iterable[int]] = MappingProxyType({})


class CpuMeter:
    """CPU seconds of processes, each with its children, since this was made.

    `without` names processes among the children that are the benchmark's own doing, such as the
    PostgreSQL backend that answers its questions.
    """

    def __init__(
        self, pids: Mapping[str, int], without: Mapping[str, Iterable[int]] = _NONE
    ) -> None:
        self._pids = pids
        self._without = {name: tuple(pids) for name, pids in without.items()}
        self._before = self._read()

    def used(self) -> dict[str, float]:
        """CPU seconds used so far, by name; the kernel tells ticks, so one is the least."""
        least = 1 / _TICKS
        return {name: max(least, now - self._before[name]) for name, now in self._read().items()}

    def _read(self) -> dict[str, float]:
        children = _children()
        return {
            name: _tree_seconds(pid, children)
            - sum(_tree_seconds(other, children) for other in self._without.get(name, ()))
            for name, pid in self._pids.items()
        }


def by_kind(used: Mapping[str, float]) -> dict[str, float]:
    """Figures of `worker 1` and `worker 2` added up as those of `worker`, and so on."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, figure in used.items():
        sums[name.partition(" ")[0]] += figure
    return dict(sums)


def memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Megabytes in memory of processes with their children, a shared page shared out (PSS)."""
    children = _children()
    return {
        name: sum(_pss_kb(one) for one in _tree(pid, children)) / 1024 for name, pid in pids.items()
    }


def _tree_seconds(pid: int, children: Mapping[int, list[int]]) -> float:
    """What ended and was waited for is in its parent's figures, as the kernel adds it there."""
    ticks = 0
    for one in _tree(pid, children):
        with suppress(OSError):
            ticks += sum(map(int, _stat(Path(f"/proc/{one}/stat"))[11:15]))
    return ticks / _TICKS


def _tree(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _children() -> Mapping[int, list[int]]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            children[int(_stat(file)[1])].append(int(file.parent.name))
    return children


def _stat(file: Path) -> list[str]:
    """The fields of /proc/<pid>/stat from the third one on; the second may hold anything."""
    return file.read_text().rpartition(")")[2].split()


def _pss_kb(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
