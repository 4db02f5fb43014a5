"""What is rendered, and what it says."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime

from tests.snippets.pages import inline_config, read, registered_config
from tracker.rules.fields import Field, FieldType
from tracker.snippets.code import attributes_script, debug_script
from tracker.snippets.forms import pages
from tracker.snippets.render import (
    SnippetConfig,
    hosted_script,
    hosted_scripts,
    json_hole,
    render_event,
    render_hosted,
    render_inline,
)

SIGNUP = SnippetConfig("https://c.example", "key1", "signup", "Sign-up", 3, date(2026, 11, 23))
NIGHTS = Field("f2", "nights", "Nights", FieldType.INTEGER)


def test_both_forms_start_with_event_version_and_date() -> None:
    for html in (render_inline(SIGNUP), render_hosted(SIGNUP)):
        assert html.startswith("<!-- Pintag: Sign-up, version 3, 2026-11-23 -->\n")


def test_a_version_that_cant_be_used_yet_says_from_when() -> None:
    early = replace(SIGNUP, usable_from=datetime(2026, 11, 23, 13, 5, tzinfo=UTC))
    for html in (render_inline(early), render_hosted(early)):
        (comment,) = read(html).comments
        assert comment.strip().endswith("version 3, usable from 2026-11-23 13:05Z")
    assert read(render_inline(early)).scripts == read(render_inline(SIGNUP)).scripts


def test_inline_is_one_script_with_the_configuration() -> None:
    html = render_inline(SIGNUP)
    assert read(html).tags == ["script"]
    assert inline_config(html) == {"u": "https://c.example/v1/key1", "n": "signup"}


def test_hosted_is_a_stub_and_an_async_tag() -> None:
    html = render_hosted(SIGNUP)
    stub, tag = read(html).scripts
    script = hosted_script()
    assert stub.attributes == {}
    assert set(tag.attributes) == {"async", "src", "integrity", "crossorigin"}
    assert tag.attributes["src"] == f"https://c.example/s/{script.hash}.js"
    assert tag.attributes["integrity"] == script.integrity
    assert tag.attributes["crossorigin"] == "anonymous"
    assert registered_config(html) == {"u": "https://c.example/v1/key1", "n": "signup"}


def test_another_event_is_the_hosted_form_without_its_script() -> None:
    hosted, event = render_hosted(SIGNUP), render_event(SIGNUP)
    assert hosted.startswith(event)
    assert read(event).scripts == read(hosted).scripts[:1]


def test_a_nonce_is_on_every_script() -> None:
    config = replace(SIGNUP, nonce="{{ nonce }}")
    for html in (render_inline(config), render_hosted(config), render_event(config)):
        assert {script.attributes["nonce"] for script in read(html).scripts} == {"{{ nonce }}"}


def test_a_test_snippet_says_so_in_its_address() -> None:
    html = render_event(replace(SIGNUP, test=True))
    assert registered_config(html)["u"] == "https://c.example/v1/key1?test"


def test_hash_and_integrity_are_the_bodys() -> None:
    script = hosted_script()
    body = script.body.encode()
    assert script.hash == hashlib.sha256(body).hexdigest()[:16]
    digest = base64.b64decode(script.integrity.removeprefix("sha384-"))
    assert digest == hashlib.sha384(body).digest()


def test_the_hosted_script_and_the_inline_one_have_the_same_runtime() -> None:
    (inline,) = read(render_inline(SIGNUP)).scripts
    runtime = inline.text[: inline.text.rindex("({")]
    assert runtime in hosted_script().body


def test_no_placeholder_is_left() -> None:
    assert "PINTAG_" not in render_inline(SIGNUP) + render_hosted(SIGNUP) + hosted_script().body


def test_json_hole_is_ascii_and_has_nothing_that_html_reads() -> None:
    assert json_hole("</script><!--&\u2028\u2029é") == (
        r'"\u003c/script\u003e\u003c!--\u0026\u2028\u2029\u00e9"'
    )


def test_rendering_twice_gives_the_same() -> None:
    assert render_inline(SIGNUP) == render_inline(SIGNUP)
    assert render_hosted(SIGNUP) == render_hosted(SIGNUP)


def test_attributes_are_a_second_script_that_the_policy_lets_run() -> None:
    rendered = pages.inline(replace(SIGNUP, attributes=True))
    runtime, attributes = read(rendered.text).scripts
    assert [runtime] == read(render_inline(SIGNUP)).scripts
    assert attributes.text == attributes_script()
    for script in (runtime, attributes):
        digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rendered.csp[0]
    assert read(pages.inline(replace(SIGNUP, attributes=True, nonce="n1")).text).tags == 2 * [
        "script"
    ]


def test_the_hosted_script_brings_the_attributes() -> None:
    assert hosted_script().body.endswith("\n" + attributes_script())


def test_a_test_snippet_loads_the_debug_script_first_and_tells_it_the_fields() -> None:
    fields = (Field("f1", "source", "S", FieldType.TEXT, required=True), NIGHTS)
    for form in (pages.inline, pages.hosted, pages.event):
        real, trial = (form(replace(SIGNUP, fields=fields, test=test)) for test in (False, True))
        debug, *others = read(trial.text).scripts
        script = debug_script()
        assert len(others) == len(read(real.text).scripts)
        assert debug.attributes.keys() == {"src", "integrity", "crossorigin", "data-pintag-debug"}
        assert debug.attributes["src"] == f"https://c.example/s/{script.hash}.js"
        assert debug.attributes["integrity"] == script.integrity
        assert json.loads(str(debug.attributes["data-pintag-debug"])) == {
            "u": "https://c.example/v1/key1?test",
            "n": "signup",
            "v": 3,
            "f": [["source", "text", True], ["nights", "integer", False]],
        }
        assert f"/s/{script.hash}.js" in trial.csp[0]
        assert "debug" not in real.text


def test_all_scripts_that_tags_load_are_kept() -> None:
    assert {hosted_script(), debug_script()} == set(hosted_scripts())
