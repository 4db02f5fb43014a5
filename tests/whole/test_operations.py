"""A worker that hangs, one that is killed, and a Redis that is away: who watches is told so."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.embedded.waiting import until
from tests.whole.installation import Installation, installed
from tests.whole.load import under_load
from tracker.api.metrics import FIGURES

pytestmark = pytest.mark.slow

OFF = ("0", "0.0")
"""What a rate says that is nothing."""


@pytest.fixture
def own(data_dir: Path) -> Iterator[Installation]:
    with installed(data_dir) as pintag:
        yield pintag


@pytest.fixture
def page(browser: Browser, own: Installation) -> Iterator[Page]:
    """The operations page, opened once; fails the test if anything is thrown or refused."""
    wrong: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    own.sign_in(page)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.click(".menu summary")
    page.click(".menu a[href='/operations']")
    yield page
    context.close()
    assert wrong == []


def asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def says(page: Page, words: str) -> None:
    """Wait until the sentence, which the page fetches by itself, says so."""
    page.locator("#verdict", has_text=words).wait_for(timeout=60_000)


def test_a_worker_that_hangs_and_one_that_is_killed(own: Installation, page: Page) -> None:
    sink = f"{own.web}/health/sink"
    says(page, "Hits are taken and stored.")
    assert asked(sink) == (200, "ok")
    page.click("#weeks summary")
    with under_load(own) as load:
        until(lambda: page.locator(".tiles strong").nth(1).inner_text() not in OFF, "a rate")
        os.kill(own.state["processes"]["worker"], signal.SIGSTOP)
        says(page, "Hits wait: the worker is silent.")
        assert page.locator("#processes tr.bad", has_text="worker").count() == 1
        status, text = asked(sink)
        assert (status, "the worker is silent" in text) == (503, True)
        assert "Hits wait" in own.pintag("status", code=1)
        own.kill("worker")
        says(page, "Hits are taken and stored.")
        until(lambda: asked(sink)[0] == 200, "the sink is well again")
        page.locator("#errors", has_text="worker ended by signal 9; it is started again").wait_for()
        assert page.locator("#processes tr.bad").count() == 0
        load.stop()
    assert page.locator("#weeks[open]").count() == 1  # what was opened stays open
    assert own.audit().problems == []
    page.click("text=Run the audit now")
    page.locator("#audit", has_text="Every hit is accounted for").wait_for(timeout=60_000)


def test_redis_is_stopped_and_goes_on(own: Installation, page: Page) -> None:
    says(page, "Hits are taken and stored.")
    valkey = own.state["processes"]["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    says(page, "Hits are refused: Redis is away.")
    assert asked(f"{own.web}/health/ready") == (503, "Redis is away.")
    os.kill(valkey, signal.SIGCONT)
    says(page, "Hits are taken and stored.")
    status, text = asked(f"{own.web}/metrics")
    assert status == 200
    for figure in FIGURES:
        assert f"# TYPE {figure.name} {figure.kind}" in text
