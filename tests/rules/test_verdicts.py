"""One sentence on the whole, from the figures: what is wrong, and what to do."""

from typing import Any

import pytest

from tracker.rules.verdicts import FULL, LATE_SECONDS, NEARLY_FULL, Signs, sink, verdict

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@pytest.mark.parametrize(
    ("signs", "level", "sentence", "remedy"),
    [
        ({}, OK, "Hits are taken and stored.", ""),
        ({"queued": 9, "waiting": LATE_SECONDS}, OK, "Hits are taken and stored.", ""),
        ({"redis_away": True}, PROBLEM, "Hits are refused: Redis is away.", "Start it."),
        ({"redis_away": True, "database_away": True}, PROBLEM, "Redis is away", "Start it."),
        ({"redis_away": True, "queue_there": True}, PROBLEM, "know their keys: Redis", "Start it."),
        ({"queue_away": True}, PROBLEM, "refused: the hit queue is away.", "PINTAG_QUEUE_URL"),
        ({"stopped": 3}, PROBLEM, "Hits of 3 partitions are refused: a node", "Start it."),
        ({"memory": FULL}, PROBLEM, "Redis refuses hits: its memory is full.", "maxmemory"),
        ({"memory": 2, "collectors": 0, "workers": 0}, PROBLEM, "memory is full", "maxmemory"),
        ({"refusing": 1}, PROBLEM, "too many wait in the hit queue.", "PINTAG_QUEUE"),
        ({"writes": False}, PROBLEM, "Redis refuses hits: it can't write", "Make room"),
        ({"collectors": 0, "ready": 0}, PROBLEM, "no collector runs.", "pintag collector"),
        ({"ready": 0}, PROBLEM, "no collector has snippet keys.", "A worker publishes them"),
        ({"database_away": True}, PROBLEM, "and wait: PostgreSQL is away.", "Start it."),
        ({"database_away": True, "workers": 0}, PROBLEM, "PostgreSQL is away.", "Start it."),
        ({"schema": False}, PROBLEM, "schema is not this release's.", "pintag migrate"),
        ({"foreign": True}, PROBLEM, "Redis belongs to another database.", "REDIS_URL"),
        ({"workers": 0, "queued": 3}, PROBLEM, "Hits wait: no worker runs.", "-m worker"),
        ({"workers": 0, "silent": 1}, PROBLEM, "Hits wait: the worker is silent.", "End it if"),
        ({"workers": 1, "silent": 1}, OK, "Hits are taken and stored.", ""),
        ({"workers": 0}, PROBLEM, "No worker runs: hits would wait.", "-m worker"),
        ({"waiting": LATE_SECONDS + 1}, PROBLEM, "wait for more than a minute", "more workers"),
        ({"persists": False}, WARNING, "a crash of Redis could lose some", "appendonly yes"),
        ({"memory": NEARLY_FULL}, WARNING, "memory is nearly full", "maxmemory"),
        ({"jobs": 0}, WARNING, "No jobs process runs", "python -m worker.jobs"),
    ],
)
def test_the_sentence(signs: dict[str, Any], level: str, sentence: str, remedy: str) -> None:
    found = verdict(Signs(**signs))
    assert found.level == level
    assert sentence in found.sentence
    assert remedy in found.remedy
    assert bool(found.remedy) == (level != OK)


@pytest.mark.parametrize(
    ("signs", "why"),
    [
        ({}, None),
        ({"jobs": 0, "collectors": 0, "ready": 0}, None),
        ({"database_away": True, "waiting": 5}, None),
        ({"waiting": LATE_SECONDS + 1}, "the workers are behind"),
        ({"database_away": True, "waiting": LATE_SECONDS + 1}, "PostgreSQL is away"),
        ({"workers": 0}, "No worker runs"),
        ({"workers": 0, "collectors": 0, "ready": 0}, "No worker runs"),
        ({"workers": 0, "memory": 1}, "No worker runs"),
        ({"redis_away": True}, "Redis is away"),
        ({"queue_away": True}, "the hit queue is away"),
        ({"stopped": 1, "workers": 0}, "a node of the hit queue is away"),
    ],
)
def test_the_sink_runs_full_where_hits_are_not_stored(
    signs: dict[str, Any], why: str | None
) -> None:
    found = sink(Signs(**signs))
    assert (why or "") in (found.sentence if found else "")
    assert bool(found) == bool(why)
