"""`pintag status`: the figures on a terminal, while a server is away, too."""

import json

import pytest

from tests.api.test_watching import NO_REDIS, present
from tests.cli.test_commands import Run, pintag
from tests.worker.cast import Harbour, drain, hit
from tests.worker.conftest import harbour
from tracker.logs import recent

__all__ = ["harbour", "pintag"]


def test_an_installation_that_runs(harbour: Harbour, pintag: Run) -> None:
    harbour.send(hit(), hit(data={}))
    drain(harbour)
    recent.take()
    recent.note(None, "", {"level": "error", "event": "hostile", "words": "\x1b[31m[bold]"})
    for kind in ("worker", "collector", "jobs"):
        present(harbour.redis, kind)
    out = pintag("status")
    shown = ("Hits are taken and stored.\n", "in quarantine", "invalid_data", "collector", "event")
    for part in (*shown, "hostile", r"\x1b[31m[bold]"):
        assert part in out
    told = json.loads(pintag("status", "--json"))
    assert told["verdict"]["level"] == "ok"
    assert (told["accepted"], told["queued"], told["states"]["stored"]) == (2, 0, 1)
    assert [one["kind"] for one in told["redis"]["processes"]] == ["collector", "worker", "jobs"]


def test_before_the_first_hit(harbour: Harbour, pintag: Run) -> None:
    for kind in ("worker", "collector"):
        present(harbour.redis, kind)
    assert "As they came in (replays and erasures are not in it)\nnone yet\n" in pintag("status")


def test_no_worker(harbour: Harbour, pintag: Run) -> None:
    present(harbour.redis, "collector")
    harbour.send(hit())
    out = pintag("status", code=1)
    assert "Hits wait: no worker runs." in out
    assert "→ Start one: python -m worker" in out


def test_a_server_is_away(pintag: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", NO_REDIS)
    out = pintag("status", code=1)
    assert "Hits are refused: Redis is away." in out
    assert "Redis can't be reached" in out
    assert "Largest tables" in out
