"""Minifies the browser code: `python -m tests.snippets.build`, after every change to it.

The minified files are committed, so an installation needs no minifier and every installation of
one release hosts the same script under the same hash. test_size.py fails where they are stale.
"""

import importlib
import re
from pathlib import Path

from benchmarks.measure_sizes import sizes

FOLDER = Path(__file__).parents[2] / "snippet_templates"
SOURCES = ("runtime.js", "hosted.js", "stub.js", "attributes.js", "verdict.js", "debug.js")
_CONSTANT = re.compile(r"^ *const ([A-Z]+) = ([0-9e]+);.*$", re.MULTILINE)


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
    for name, found in sizes().items():
        print(f"{name}: {found['bytes']:,.0f} bytes, {found['gzip_bytes']:,.0f} gzipped")


if __name__ == "__main__":
    main()
