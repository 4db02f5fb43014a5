"""The benchmarks run, count every hit, and leave nothing behind. Their figures are not judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.costs import CpuMeter
from benchmarks.figures import Report
from benchmarks.hits import posts
from tracker.rules.hits import parse_envelope

COMMON = {"hits_per_second", "hits_per_core_second", "valkey_us_per_hit", "valkey_mb"}
COLLECTOR = COMMON | {
    *("p50_ms", "p99_ms", "reference_hits_per_second", "reference_hits_per_core_second"),
    *("ratio_per_second", "ratio_per_core_second", "collector_us_per_hit", "collector_mb"),
    *("nginx_hits_per_second", "nginx_hits_per_core_second", "ratio_to_nginx"),
    "collector_mb_before",
}
WORKER = COMMON | {
    *("worker_us_per_hit", "postgres_us_per_hit", "worker_mb", "postgres_mb"),
    *("copy_rows_per_second", "copy_postgres_us_per_row", "ratio_worker_to_copy"),
    *("worker_hits_per_core_second", "ratio_postgres_cpu_to_copy"),
}
WHOLE = COMMON | {
    *("collector_us_per_hit", "worker_us_per_hit", "postgres_us_per_hit", "all_us_per_hit"),
    *("collector_mb", "worker_mb", "postgres_mb", "answer_p50_ms", "answer_p99_ms"),
    *("visible_p50_ms", "visible_p99_ms", "probes"),
}
NORMAL = {"normal_per_second", "p50_ms", "p99_ms"}
SLOW = NORMAL | {
    *("without_them_p99_ms", "most_per_second", "without_them_most_per_second", "collector_mb"),
}
BURST = NORMAL | {"burst_per_second", "normal_p99_ms", "burst_collector_mb", "last_p99_ms"}
DRAINED = {
    *("hits_per_second", "hits_per_core_second", "worker_us_per_hit", "valkey_us_per_hit"),
    *("postgres_us_per_hit", "all_us_per_hit"),
}
FILLED = DRAINED | {"copy_rows_per_second", "copy_postgres_us_per_row", "ratio_worker_to_copy"}
COLLECTED = {
    *("hits_per_second", "hits_per_core_second", "collector_us_per_hit", "valkey_us_per_hit"),
    *("answer_p50_ms", "answer_p99_ms", "collector_mb", "client_share_of_a_core", "all_us_per_hit"),
}
GROWTH = {
    "rate": (WHOLE, ("10 %", "25 %", "50 %", "75 %", "90 %")),
    "events": (FILLED, ("0", "100", "300", "1,000")),
    "events, known visitors": (FILLED, ("100", "300", "1,000")),
    "fields": (DRAINED, ("1", "4", "12", "50", "100")),
    "definitions": (DRAINED, ("1", "100", "1,000", "10,000")),
    "first hits of definitions": (DRAINED, ("10,000",)),
    "visitors": (DRAINED, ("many", "one")),
    "connections": (COLLECTED, ("1", "16", "64", "256", "1,024")),
    "hits a POST": (COLLECTED, ("1", "10", "50")),
    "workers": (DRAINED, ("1", "2", "3")),
    "collectors": (COLLECTED, ("1", "2")),
}
"""What grows, and how far: its figures."""
COPIED = {"copy_rows_per_second", "copy_postgres_us_per_row"}
SIZES = (
    *("event_rows", "event_pkey", "event_timeline", "event_claims", "event_corrected"),
    *("identifier_rows", "identifier_pkey", "identifier_section_id_keyspace_key_key"),
    *("identifier_profile", "identifier_one_value", "profile_rows", "profile_pkey", "all"),
)
ENDED = {"events", "seconds", "wal_mb"}
WEEKS = {"first_timeline_ms", "timeline_ms", "worker_us_per_hit", "postgres_us_per_hit"}
STORE = {
    "a hit in the queue": {"used_memory_bytes", "aof_current_size_bytes"},
    "a million events": {f"{name}_mb" for name in SIZES},
    "a million events' log, right after a checkpoint": {"wal_mb"},
    "a million events' log, later": {"wal_mb"},
    "COPY into weeks": COPIED,
    "COPY into one table": COPIED,
    "indexes": {"this_week_mb", "all_weeks_mb"},
    "an empty week": {"making_ms", "bytes"},
    "a week dropped": ENDED,
    "a week deleted": ENDED,
    **{f"weeks: {number}": WEEKS for number in (11, 52, 260)},
}
ROWS = {
    "collector, 1 a POST": COLLECTOR,
    "collector, 1 a POST, by a proxy": COLLECTOR,
    "collector, 10 a POST": COLLECTOR,
    "worker": WORKER,
    "end to end": WHOLE,
    "500 slow senders": SLOW,
    "a burst of 10 times": BURST,
    **{
        f"{row}{throttle}": {"snippet_us", "reference_us", "ratio"}
        for row in ("evaluate", "evaluate, storage in use", "a call", "send 1", "send 100")
        for throttle in ("", ", CPU/4")
    },
    **STORE,
    **{f"{what}: {far}": names for what, (names, fars) in GROWTH.items() for far in fars},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The JSON lines of a run with tiny sizes."""
    file = tmp_path_factory.mktemp("benchmarks") / "lines.json"
    sizes = (
        "--seconds",
        "0.2",
        "--rounds",
        "1",
        "--hits",
        "300",
        "--rate",
        "200",
        "--events",
        "1000",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *sizes, "--json", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        shown, _ = running.communicate(timeout=1200)
    assert running.returncode == 0, shown
    assert "hits per second" in shown
    assert not list(Path("/tmp").glob(f"pintag-benchmark-{running.pid}-*")), "it left its folder"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_says_which_machine(lines: list[dict[str, Any]]) -> None:
    machine = lines[0]["machine"]
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["python"] == sys.version.split()[0]


@pytest.mark.parametrize("row", ROWS)
def test_every_figure_is_there(lines: list[dict[str, Any]], row: str) -> None:
    round_, medians = (line for line in lines if line.get("row") == row)
    assert (round_["round"], medians["median_of"]) == (1, 1)
    for line in (round_, medians):
        assert line.keys() >= ROWS[row]
        assert not {name: line[name] for name in ROWS[row] if not line[name] > 0}


def test_what_was_sent_end_to_end_was_stored_in_time(lines: list[dict[str, Any]]) -> None:
    medians = next(line for line in lines if line.get("row") == "end to end")
    assert medians["queued_at_end"] <= 100


def test_medians_are_those_of_the_rounds(tmp_path: Path) -> None:
    with (tmp_path / "lines").open("w") as file:
        report = Report(file)
        for value in (5.0, 1.0, 3.0):
            report.add("row", {"figure": value})
        assert report.finish() == {"row": {"figure": 3.0}}


def test_posts_are_envelopes_with_hits_of_their_own() -> None:
    requests = posts("key", 3, 2)
    heads, bodies = zip(*(request.split(b"\r\n\r\n") for request in requests), strict=True)
    assert all(head.startswith(b"POST /v1/key HTTP/1.1\r\n") for head in heads)
    hits = [bytes(hit) for body in bodies for hit in parse_envelope(body).hits]
    assert len({json.loads(hit)["id"] for hit in hits}) == 6


def test_cpu_of_children_counts_for_their_parent() -> None:
    script = "import subprocess,sys;subprocess.run([sys.executable,'-c','sum(range(10**7))'])"
    script += ";print('done',flush=True);sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        meter = CpuMeter({"it": parent.pid})
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"done\n"
        assert meter.used()["it"] >= 0.05
        parent.communicate()
