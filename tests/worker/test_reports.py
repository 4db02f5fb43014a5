"""What processes say of themselves: workers, jobs, and what any of them logged as wrong."""

import os
import signal

import pytest
import redis
import structlog

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, hit, now_ms, working
from tests.worker.processes import process
from tracker.logs import Recent, recent
from tracker.settings import Settings
from tracker.stores import jobs as queue
from tracker.stores import processes, reporting
from tracker.stores.processes import FORGOTTEN_MS, MOST_ERRORS, SILENT_MS, Report
from tracker.stores.reporting import Background, Reporter
from worker.reports import Reports, _ranges

NOWHERE = "redis://127.0.0.1:1"


def reports(harbour: Harbour, kind: str) -> list[Report]:
    return [one for one in processes.current(harbour.redis, now_ms()) if one.kind == kind]


def test_a_worker_says_how_far_it_is_and_is_forgotten_when_it_stops(harbour: Harbour) -> None:
    harbour.send(hit(), hit(data={}), to=3)
    with working(harbour.settings):
        until(lambda: any(one.figure("hits") == 2 for one in reports(harbour, "worker")))
        [report] = reports(harbour, "worker")
        assert (report.words["partitions"], report.figure("partitions")) == ("0-7", 8)
        assert report.pid == os.getpid()
        assert not report.is_silent(now_ms())
        assert report.figure("last_commit_ms") <= report.at_ms
    assert reports(harbour, "worker") == []


def test_a_worker_tells_that_it_waits_for_its_database(harbour: Harbour) -> None:
    away = Settings("postgresql://127.0.0.1:1/none", harbour.settings.redis_url)
    with working(away):
        until(lambda: reports(harbour, "worker"))
        assert reports(harbour, "worker")[0].words["waits_for"] == "PostgreSQL"


def test_who_says_nothing_is_silent_and_after_an_hour_forgotten(harbour: Harbour) -> None:
    own = Reports(harbour.settings.redis_url)
    own.tell([0, 1])
    [report] = reports(harbour, "worker")
    assert not report.is_silent(report.at_ms + SILENT_MS)
    assert report.is_silent(report.at_ms + SILENT_MS + 1)
    assert processes.current(harbour.redis, report.at_ms + FORGOTTEN_MS) == [report]
    assert processes.current(harbour.redis, report.at_ms + FORGOTTEN_MS + 1) == []
    assert reports(harbour, "worker") == []


def test_a_jobs_process_reports_beside_its_jobs(harbour: Harbour) -> None:
    with process(harbour, "worker.jobs") as jobs:
        failing = queue.enqueue(harbour.redis, queue.REPLAY, ["no id"])
        with pytest.raises(queue.JobFailedError):
            queue.wait(failing, lambda *_: None)
        assert [one.pid for one in reports(harbour, "jobs")] == [jobs.pid]
        jobs.send_signal(signal.SIGTERM)
        assert jobs.wait(60) == 0
    assert reports(harbour, "jobs") == []


def test_errors_go_with_the_next_report_and_wait_while_redis_is_away(harbour: Harbour) -> None:
    fields = {"level": "error", "event": "tick_failed", "why": "x" * 400}
    recent.note(None, "", dict(fields))
    recent.note(None, "", dict(fields))
    elsewhere = Background("web", NOWHERE)
    elsewhere.start()
    elsewhere.stop()
    assert processes.errors(harbour.redis, now_ms()) == []
    reporter = Reporter("web")
    reporter.send(harbour.redis, reporter.report())
    [error] = processes.errors(harbour.redis, now_ms())
    assert (error.event, error.times, len(error.words)) == ("tick_failed", 2, 300)
    assert error.process == f"web:{reporter.report().host}:{os.getpid()}"
    assert processes.errors(harbour.redis, now_ms() + processes.ERRORS_MS + 1000) == []


def test_reports_go_on_after_what_nobody_expected(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "REPORT_SECONDS", 0.01)
    calls: list[redis.Redis] = []

    def fail_twice(client: redis.Redis) -> None:
        calls.append(client)
        if len(calls) <= 2:
            raise ValueError("odd")

    background = Background("web", harbour.settings.redis_url, fail_twice)
    with structlog.testing.capture_logs() as logged:
        background.start()
        until(lambda: len(calls) > 3, "it goes on", 5)
        background.stop()
    assert [line["event"] for line in logged] == ["report_failed"] * 2


def test_redis_keeps_the_newest_errors(harbour: Harbour) -> None:
    reporter = Reporter("web")
    for number in range(MOST_ERRORS + 5):
        recent.note(None, "", {"level": "warning", "event": "away", "number": number})
        reporter.send(harbour.redis, reporter.report())
    kept = processes.errors(harbour.redis, now_ms())
    assert (len(kept), kept[0].words) == (MOST_ERRORS, f"number: {MOST_ERRORS + 4}")


def test_of_a_traceback_the_error_is_kept() -> None:
    kept = Recent()
    chain: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        kept.note,
        structlog.processors.format_exc_info,
    ]
    log = structlog.wrap_logger(structlog.ReturnLogger(), processors=chain)
    try:
        raise ValueError("no such thing")
    except ValueError:
        log.exception("crashed")
    log.info("working")
    assert [(one.event, one.words) for one in kept.take()] == [
        ("crashed", "ValueError: no such thing")
    ]
    assert kept.take() == []


def test_partitions_are_written_as_ranges() -> None:
    assert (_ranges([]), _ranges([4]), _ranges([7, 0, 1, 2, 5, 6])) == ("", "4", "0-2, 5-7")
