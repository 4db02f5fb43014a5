"""Whatever names, keys and labels people type: it stays in its place in every form.

Each form is read by the parser of what it is: HTML, Node and TypeScript, JSON, a shell, Python.
"""

import ast
import json
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings

from tests.snippets.hostile import configs
from tests.snippets.judging import Judge, judging, sections
from tests.snippets.pages import read
from tracker.snippets.code import attributes_script
from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import examples
from tracker.snippets.forms import FormName, render
from tracker.snippets.forms.modules import TYPES
from tracker.snippets.texts import one_line

Check = Callable[[SnippetConfig, Judge], None]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as judge:
        yield judge


def heading(config: SnippetConfig) -> str:
    return one_line(f"Pintag: {config.event_name}, version 1, 2026-11-23")


def check_page(config: SnippetConfig, judge: Judge, form: FormName) -> None:
    page = read(render(config, form).text)
    count = 1 + (form == FormName.HOSTED) + config.test + config.attributes
    assert page.tags == ["script"] * count
    assert page.text.strip() == ""
    nonces = [script.attributes.get("nonce") for script in page.scripts]
    assert nonces == [config.nonce] * count
    (comment,) = page.comments
    # Dashes are moved apart.
    assert unescape(comment).replace(" ", "") == heading(config).replace(" ", "")
    if config.test:
        debug = json.loads(page.scripts.pop(0).attributes["data-pintag-debug"] or "")
        assert debug["f"] == [[one.key, one.type, one.required] for one in config.fields]
        assert config.public.items() <= debug.items()
    own, *others = [script.text for script in page.scripts if script.text]
    assert others == [attributes_script()] * config.attributes
    seen = judge("script", own)
    assert (seen["registered"], seen["calls"], seen["added"]) == ([config.public], [], [])


def check_pixel(config: SnippetConfig, judge: Judge) -> None:
    page = read(render(config, FormName.PIXEL).text)
    assert page.tags == ["img"]
    assert len(page.comments) == 1
    assert page.text.strip() == ""
    address = urlsplit(page.images[0]["src"] or "")
    assert address.path == "/v1/key.gif"
    sent = dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=True))
    assert (sent.pop("_visitor"), sent.pop("source")) == ("VISITOR", "Mail")
    assert sent.pop("_test", None) == ("" if config.test else None)
    assert list(sent) == [field.key for field in config.fields[1:]]


def check_module(config: SnippetConfig, judge: Judge) -> None:
    text = render(config, FormName.MODULE).text
    assert text.startswith(f"// {heading(config)}\n")
    seen = judge("module", text)
    assert (seen["registered"], seen["calls"]) == ([config.public], [[config.slug, {"n": 1}]])
    assert seen["exports"] == ["consent", "default", "identify", "reset", "track"]


def check_types(config: SnippetConfig, judge: Judge) -> None:
    text = render(config, FormName.TYPES).text
    assert text.startswith(f"// {heading(config)}\n")
    seen = judge("types", text)
    assert (seen["errors"], seen["tags"], seen["directives"]) == (0, 0, 0)
    names = ["Data", "Exactly", "Claim", "Claims", "track", "track", "identify", "reset", "consent"]
    assert seen["statements"] == names
    assert seen["fields"] == [
        [field.key, TYPES[field.type] + (" | null" if optional else ""), optional]
        for field in config.fields
        for optional in [not field.required or field.key == "source"]
    ]
    for told, field in zip(seen["told"][1:], config.fields, strict=True):
        label = one_line(field.label).replace("*/", "* /").replace("@", "&#64;")
        assert (told or "").startswith(label)


def check_gtm(config: SnippetConfig, judge: Judge) -> None:
    found = sections(render(config, FormName.GTM).text)
    assert list(found) == [
        *("TERMS_OF_SERVICE", "INFO", "TEMPLATE_PARAMETERS", "SANDBOXED_JS_FOR_WEB_TEMPLATE"),
        *("WEB_PERMISSIONS", "TESTS", "NOTES"),
    ]
    info, parameters, permissions = (
        json.loads(found[name]) for name in ("INFO", "TEMPLATE_PARAMETERS", "WEB_PERMISSIONS")
    )
    assert info["displayName"] == f"Pintag: {config.event_name}"
    assert info["description"] == config.description
    labels = [unescape(one["displayName"]) for one in parameters]
    assert labels == [field.label for field in config.fields]
    data = {one["name"]: f"of {one['name']}" for one in parameters}
    code = found["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    seen = judge("gtm", code, permissions=permissions, data=data)
    registered, (slug, values, _) = seen["calls"]
    assert (registered, slug) == ([config.public], config.slug)
    assert values == {field.key: f"of {field.id}" for field in config.fields}


def check_curl(config: SnippetConfig, judge: Judge) -> None:
    text = render(config, FormName.CURL).text
    assert text.startswith(f"# {heading(config)}\n")
    noting = "curl() { for word; do printf '%s\\0' \"$word\"; done >&2; echo 204; }\n"
    done = subprocess.run(["sh", "-eu"], input=(noting + text).encode(), capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")
    *_, body, address, rest = done.stderr.decode().split("\0")
    assert (address, rest) == (config.address, "")
    (hit,) = json.loads(body)["hits"]
    assert hit["data"] == examples(config, "Server")


def check_python(config: SnippetConfig, judge: Judge) -> None:
    source = render(config, FormName.PYTHON).text.encode()
    assert source.decode().splitlines()[1] == f"# {heading(config)}"
    tree = compile(source, "x.py", "exec", ast.PyCF_ONLY_AST)  # bytes: a coding line would count
    assert isinstance(tree, ast.Module)
    values: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ADDRESS":
            values["address"] = ast.literal_eval(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "send":
            values["data"] = ast.literal_eval(node.args[0])
    assert values == {"address": config.address, "data": examples(config, "Server")}
    assert len(tree.body) == 13


CHECKS: dict[FormName, Check] = {
    FormName.INLINE: lambda config, judge: check_page(config, judge, FormName.INLINE),
    FormName.HOSTED: lambda config, judge: check_page(config, judge, FormName.HOSTED),
    FormName.EVENT: lambda config, judge: check_page(config, judge, FormName.EVENT),
    FormName.MODULE: check_module,
    FormName.TYPES: check_types,
    FormName.GTM: check_gtm,
    FormName.PIXEL: check_pixel,
    FormName.CURL: check_curl,
    FormName.PYTHON: check_python,
}


@pytest.mark.parametrize("form", FormName)
@settings(max_examples=25, deadline=None)
@given(config=configs())
def test_it_stays_in_its_place(form: FormName, config: SnippetConfig, judge: Judge) -> None:
    CHECKS[form](config, judge)


@pytest.mark.slow
@pytest.mark.parametrize("form", FormName)
@settings(max_examples=1_000, deadline=None)
@given(config=configs())
def test_it_stays_there_for_long(form: FormName, config: SnippetConfig, judge: Judge) -> None:
    CHECKS[form](config, judge)
