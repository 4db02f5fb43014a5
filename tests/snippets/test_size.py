"""What a page's visitors load, and whether it is what the sources say."""

import re
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from platform import machine

import pytest

from benchmarks.figures import Report
from benchmarks.measure_sizes import BUDGETS, SAMPLE, measure, sizes
from benchmarks.stack import BenchmarkError
from tests.snippets.build import SOURCES, minified, target
from tracker.rules.definitions import slugify
from tracker.snippets.render import gzip_size, render_hosted, render_inline

DOCS = (Path(__file__).parents[2] / "docs" / "snippet.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUDGETS)
def test_what_has_a_budget_stays_within_it(name: str) -> None:
    assert sizes()[name]["gzip_bytes"] <= BUDGETS[name]


def test_the_docs_say_what_each_form_weighs() -> None:
    """To within a twentieth. Else: python -m benchmarks --only sizes."""
    rows = re.findall(r"^\| `?([^|`]+)`? \|.* ([\d,]+) \| ([\d,]+) \|$", DOCS, re.MULTILINE)
    said = {name: [int(one.replace(",", "")) for one in found] for name, *found in rows}
    found = {name: list(one.values()) for name, one in sizes().items()}
    assert {
        name: one for name, one in found.items() if said[name] != pytest.approx(one, rel=0.05)
    } == {}


def test_the_benchmark_fails_over_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    measure(Report(StringIO()))
    monkeypatch.setitem(BUDGETS, "event", 100)
    with pytest.raises(BenchmarkError, match=r"event has 2.. bytes gzipped, and may have 100"):
        measure(Report(StringIO()))


def test_a_long_name_costs_no_more_than_itself() -> None:
    name = "Checkout of the summer sale, with coupons and gift cards"
    long = replace(SAMPLE, event_name=name, slug=slugify(name))
    grown = gzip_size(render_inline(long)) - gzip_size(render_inline(SAMPLE))
    assert grown <= len(name)


def test_the_hosted_form_is_small_in_the_page() -> None:
    assert gzip_size(render_hosted(SAMPLE)) <= 450


@pytest.mark.skipif(
    sys.platform == "darwin" and machine() == "arm64",
    reason="tdewolff-minify has no wheel for this machine",
)
@pytest.mark.parametrize("source", SOURCES)
def test_the_minified_files_are_fresh(source: str) -> None:
    """Else: python -m tests.snippets.build."""
    assert target(source).read_text(encoding="utf-8") == minified(source)
