"""Whatever people type stays where it belongs, and comes out as it went in."""

import json
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.snippets.hostile import HOSTILE, texts
from tests.snippets.pages import inline_config, read, registered_config
from tracker.snippets.render import SnippetConfig, json_hole, render_hosted, render_inline


def config_of(name: str, slug: str = "s") -> SnippetConfig:
    return SnippetConfig("https://c.example", "key", slug, name, 1, date(2026, 11, 23))


@given(name=texts, slug=texts, url=texts, key=texts)
@example(name="-->", slug="</script>", url='"', key="'")
def test_everything_round_trips(name: str, slug: str, url: str, key: str) -> None:
    config = SnippetConfig(url, key, slug, name, 1, date(2026, 11, 23))
    inline, hosted = render_inline(config), render_hosted(config)
    expected = {"u": f"{url}/v1/{key}", "n": slug}
    assert registered_config(hosted) == expected
    assert json.loads(json_hole(expected)) == expected
    assert json_hole(expected) in inline
    assert inline_shape(inline) == (["script"], 1, "")
    assert inline_shape(hosted) == (["script", "script"], 1, "")
    assert read(hosted).scripts[1].text == ""
    src = read(hosted).scripts[1].attributes["src"]
    assert src is not None
    assert src.startswith(f"{url}/s/")


def inline_shape(html: str) -> tuple[list[str], int, str]:
    page = read(html)
    return page.tags, len(page.comments), page.text.strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_leave_the_same_script(text: str) -> None:
    calm = read(render_inline(config_of("calm"))).scripts
    assert read(render_inline(config_of(text))).scripts == calm


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_slugs_come_back_from_an_inline_script(text: str) -> None:
    html = render_inline(config_of("calm", slug=text))
    assert inline_config(html) == {"u": "https://c.example/v1/key", "n": text}


@given(name=texts)
def test_a_comment_has_no_dashes_or_brackets_that_could_end_it(name: str) -> None:
    comment = read(render_inline(config_of(name))).comments[0].strip()
    assert not any(part in comment for part in ("--", "<", ">", "\n", "\r", "\0"))
    assert comment.endswith(", version 1, 2026-11-23")


@given(st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=5))
def test_a_json_hole_holds_any_json(value: object) -> None:
    hole = json_hole(value)
    assert json.loads(hole) == value
    assert hole.isascii()
    assert not set("<>&") & set(hole)
