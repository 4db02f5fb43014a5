"""Minifies the browser code: `python -m tests.snippets.build`, after every change to it.

The minified files are committed, so an installation needs no minifier and every installation of
one release hosts the same script under the same hash. test_size.py fails where they are stale.
"""

import importlib
import re
from datetime import date
from pathlib import Path

from tracker.rules.fields import Field, FieldType
from tracker.snippets.code import attributes_script, debug_script, hosted_script
from tracker.snippets.forms import FORMS
from tracker.snippets.render import SnippetConfig, gzip_size

FOLDER = Path(__file__).parents[2] / "snippet_templates"
SOURCES = ("runtime.js", "hosted.js", "stub.js", "attributes.js", "verdict.js", "debug.js")
_CONSTANT = re.compile(r"^ *const ([A-Z]+) = ([0-9e]+);.*$", re.MULTILINE)
SAMPLE = SnippetConfig(
    collector_url="https://collect.example.com",
    key="Zk3vQ8sLr2TnXw5yBd7c",
    slug="newsletter-signup",
    event_name="Newsletter signup",
    version_number=3,
    date=date(2026, 11, 23),
    fields=(
        Field("fld_1", "source", "Source", FieldType.TEXT, True),
        Field("fld_2", "stage", "Stage", FieldType.TEXT, True, "How far they came"),
        Field("fld_3", "price", "Price", FieldType.DECIMAL),
        Field("fld_4", "seats", "Seats", FieldType.INTEGER),
        Field("fld_5", "member", "Member", FieldType.BOOLEAN),
        Field("fld_6", "birthday", "Birthday", FieldType.DATE),
        Field("fld_7", "signed-at", "Signed at", FieldType.TIMESTAMP),
    ),
)


def minified(source: str) -> str:
    """The minified text of one of SOURCES. Needs tdewolff-minify, of the dev group."""
    minify = importlib.import_module("minify")  # it has no types
    text = _with_constants((FOLDER / source).read_text(encoding="utf-8"))
    return str(minify.string("application/javascript", text)).rstrip(";\n") + "\n"


def _with_constants(text: str) -> str:
    """The text with its numeric constants, whose names are in capitals, where they are used."""
    for name, value in _CONSTANT.findall(text):
        text = re.sub(rf"(?<!const )\b{name}\b", value, text)
    return _CONSTANT.sub("", text)


def target(source: str) -> Path:
    """Where the minified text of one of SOURCES is kept."""
    return FOLDER / source.replace(".js", ".min.js")


def main() -> None:
    for source in SOURCES:
        target(source).write_text(minified(source), encoding="utf-8")
    texts = {str(name): form.render(SAMPLE).text for name, form in FORMS.items()}
    texts["hosted script"] = hosted_script().body
    texts["attributes"] = attributes_script()
    texts["debug script"] = debug_script().body
    for name, text in texts.items():
        print(f"{name}: {len(text)} bytes, {gzip_size(text)} gzipped")


if __name__ == "__main__":
    main()
