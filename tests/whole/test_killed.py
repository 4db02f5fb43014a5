"""Kill -9 of any part under load: what was acknowledged is stored once, and the audit balances."""

from collections import Counter
from pathlib import Path

import pytest

from tests.embedded.waiting import descendants, until, until_gone
from tests.whole.installation import Installation, installed
from tests.whole.load import Load, under_load

pytestmark = pytest.mark.slow

SOME = 100
"""Hits that are acknowledged before a part is killed, and after it is back."""


def ids_stored(pintag: Installation) -> Counter[str]:
    with pintag.database() as connection:
        return Counter(str(id_) for (id_,) in connection.execute("SELECT id FROM event"))


def assert_nothing_lost(pintag: Installation, load: Load) -> None:
    audit = pintag.audit()
    stored = ids_stored(pintag)
    assert audit.problems == []
    assert not set(load.acknowledged) - set(stored), "acknowledged hits are missing"
    assert set(stored.values()) == {1}
    assert audit.states["stored"] == len(stored)
    assert audit.states["quarantined"] == 0


def grows(load: Load, more: int = SOME) -> None:
    """Wait until so many more hits are acknowledged."""
    goal = len(load.acknowledged) + more
    until(lambda: len(load.acknowledged) >= goal, f"{goal} hits are acknowledged", seconds=60)


@pytest.mark.parametrize("part", ["worker", "collector", "valkey", "postgres"])
def test_a_part_is_killed_under_load(data_dir: Path, part: str) -> None:
    with installed(data_dir) as pintag, under_load(pintag) as load:
        for _ in range(2):
            grows(load)
            pintag.kill(part)
            grows(load)
        load.stop()
        assert_nothing_lost(pintag, load)


def test_everything_is_killed_and_started_again(data_dir: Path) -> None:
    with installed(data_dir) as pintag, under_load(pintag) as load:
        grows(load)
        family = descendants(pintag.process.pid)
        pintag.process.kill()
        pintag.process.wait()
        until_gone(*family)
    (data_dir / "up.json").unlink()  # what the dead one left; `installed` waits for the new one
    with installed(data_dir) as again:
        assert_nothing_lost(again, load)
