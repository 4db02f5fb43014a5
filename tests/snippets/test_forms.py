"""The forms: what each begins with, and what it says that it needs."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.measure_sizes import SAMPLE
from tests.snippets.judging import sections
from tests.snippets.pages import read
from tracker.snippets.forms import FORMS, FormName, render
from tracker.snippets.render import hosted_script

HEADING = "Pintag: Newsletter signup, version 3, 2026-11-23"
ADDRESS = f"https://collect.example.com/s/{hosted_script().hash}.js"
CONNECT = "connect-src https://collect.example.com"


def test_every_form_is_registered() -> None:
    assert list(FORMS) == list(FormName)


@pytest.mark.parametrize("form", [form for form in FormName if form != FormName.GTM])
def test_a_form_starts_with_a_comment(form: FormName) -> None:
    first, second, *_ = render(SAMPLE, form).text.splitlines()
    if form == FormName.PYTHON:
        assert first == "# -*- coding: utf-8 -*-"  # so that no name can say another one
        first = second
    assert first.strip("<!->#/ ") == HEADING


def test_the_template_has_it_in_its_code_and_notes() -> None:
    found = sections(render(SAMPLE, FormName.GTM).text)
    assert found["NOTES"] == HEADING
    assert found["SANDBOXED_JS_FOR_WEB_TEMPLATE"].startswith(f"// {HEADING}\n")


@pytest.mark.parametrize("form", FormName)
def test_a_version_that_cant_be_used_yet_says_from_when(form: FormName) -> None:
    early = replace(SAMPLE, usable_from=datetime(2026, 11, 23, 13, 5, tzinfo=UTC))
    assert "version 3, usable from 2026-11-23 13:05Z" in render(early, form).text


@pytest.mark.parametrize("form", FormName)
def test_a_snippet_for_trying_out_says_so(form: FormName) -> None:
    text = render(replace(SAMPLE, test=True), form).text
    mark = {FormName.PIXEL: "&amp;_test=", FormName.TYPES: ""}.get(form, "?test")
    assert mark in text
    assert "?test" not in render(SAMPLE, form).text


@pytest.mark.parametrize("form", [FormName.INLINE, FormName.HOSTED, FormName.EVENT])
def test_scripts_in_pages_run_by_their_hash_or_a_nonce(form: FormName) -> None:
    rendered = render(SAMPLE, form)
    text = read(rendered.text).scripts[0].text
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    loaded = f" {ADDRESS}" if form == FormName.HOSTED else ""
    assert rendered.csp == (f"script-src 'sha256-{digest}'{loaded}", CONNECT)
    assert render(replace(SAMPLE, nonce="r4nd"), form).csp == ("script-src 'nonce-r4nd'", CONNECT)


@pytest.mark.parametrize(
    ("form", "csp"),
    [
        (FormName.MODULE, ("script-src 'self'", CONNECT)),
        (FormName.GTM, (f"script-src {ADDRESS}", CONNECT)),
        (FormName.PIXEL, ("img-src https://collect.example.com",)),
        (FormName.TYPES, ()),
        (FormName.CURL, ()),
        (FormName.PYTHON, ()),
    ],
)
def test_other_forms_say_what_they_need(form: FormName, csp: tuple[str, ...]) -> None:
    assert render(SAMPLE, form).csp == csp


def test_a_policy_names_the_origin_only() -> None:
    below = replace(SAMPLE, collector_url="https://www.example.com:8443/pintag")
    assert render(below, FormName.PIXEL).csp == ("img-src https://www.example.com:8443",)


def test_integrity_is_that_of_the_script_or_of_the_module_itself() -> None:
    assert render(SAMPLE, FormName.HOSTED).integrity == hosted_script().integrity
    module = render(SAMPLE, FormName.MODULE)
    digest = base64.b64encode(hashlib.sha384(module.text.encode()).digest()).decode()
    assert module.integrity == f"sha384-{digest}"
    assert render(SAMPLE, FormName.INLINE).integrity is None


def test_no_parameter_of_the_pixel_is_cut_off_by_a_comments_rules() -> None:
    text = render(SAMPLE, FormName.PIXEL).text
    assert "signed-at=VALUE_signed.at" in text
    assert 'VALUE_signed.at: Signed at, such as "2026-11-23T09:30:00Z"' in text
