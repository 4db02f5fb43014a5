"""What a page's visitors load, and whether it is what the sources say."""

import sys
from dataclasses import replace
from platform import machine

import pytest

from tests.snippets.build import SAMPLE, SOURCES, minified, target
from tracker.rules.definitions import slugify
from tracker.snippets.render import gzip_size, render_event, render_hosted, render_inline

LIMIT = 1_500  # DESIGN.md, 7
EVENT_LIMIT = 250


def test_an_inline_snippet_stays_within_its_budget() -> None:
    assert gzip_size(render_inline(SAMPLE)) <= LIMIT


def test_a_long_name_costs_no_more_than_itself() -> None:
    name = "Checkout of the summer sale, with coupons and gift cards"
    long = replace(SAMPLE, event_name=name, slug=slugify(name))
    grown = gzip_size(render_inline(long)) - gzip_size(render_inline(SAMPLE))
    assert grown <= len(name)


def test_another_event_adds_little_to_a_page_and_is_small_by_itself() -> None:
    other = replace(
        SAMPLE, event_name="Contact form", slug="contact-form", key="Qp7mT2xWc9LrHn4vKs8d"
    )
    page, html = render_inline(SAMPLE), render_event(other)
    assert gzip_size(page + html) - gzip_size(page) <= EVENT_LIMIT
    assert gzip_size(html) <= EVENT_LIMIT


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
