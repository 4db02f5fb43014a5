"""Calls from servers: what they do when the collector does not take the event at once."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.measure_sizes import SAMPLE
from tests.browser.wire import CLOSE, Request, Wire, running
from tracker.snippets.forms import FormName, render

FORMS = [FormName.CURL, FormName.PYTHON]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with running() as wire:
        yield wire


def run(wire: Wire, form: FormName, folder: Path) -> int:
    """Run a form against the recorder; returns its exit status."""
    rendered = render(replace(SAMPLE, collector_url=wire.collector), form)
    file = folder / "call"
    file.write_text(rendered.text)
    command = ["sh", "-u"] if form == FormName.CURL else [sys.executable, "-I"]
    return subprocess.run([*command, str(file)], capture_output=True, check=False).returncode


@pytest.mark.parametrize("form", FORMS)
def test_it_tries_again_with_the_same_id(wire: Wire, form: FormName, tmp_path: Path) -> None:
    answers = iter([503, 204])

    def answer(request: Request) -> int:
        return next(answers)

    wire.answer = answer
    assert run(wire, form, tmp_path) == 0
    first, second = wire.hits
    assert first == second
    assert first["id"][14] == "7"
    assert first["data"]["stage"] == "Example"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [400, 403, 404, 410, 413])
def test_a_refusal_is_for_good(wire: Wire, form: FormName, status: int, tmp_path: Path) -> None:
    wire.answer = status
    assert run(wire, form, tmp_path) != 0
    assert len(wire.requests) == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [200, 301, 302, 304])
def test_nothing_but_204_says_that_it_is_taken(
    wire: Wire, form: FormName, status: int, tmp_path: Path
) -> None:
    wire.pages["/login"] = "Sign in"
    wire.headers["Location"] = f"{wire.site}/login"
    answers = iter([status, 204])
    wire.answer = lambda request: next(answers)
    is_taken = run(wire, form, tmp_path) == 0
    assert is_taken == (len(wire.requests) == 2)


@pytest.mark.parametrize("form", FORMS)
def test_it_tries_again_where_the_connection_was_cut(
    wire: Wire, form: FormName, tmp_path: Path
) -> None:
    answers = iter([CLOSE, 204])
    wire.answer = lambda request: next(answers)
    assert run(wire, form, tmp_path) == 0
    first, second = wire.hits
    assert first == second


@pytest.mark.parametrize("form", FORMS)
def test_each_run_is_an_event_of_its_own(wire: Wire, form: FormName, tmp_path: Path) -> None:
    assert [run(wire, form, tmp_path) for _ in range(3)] == [0, 0, 0]
    assert len({hit["id"] for hit in wire.hits}) == 3
