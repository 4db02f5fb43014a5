"""What snippets read of a device is what the docs say, and nothing by which it could be told."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for path in sorted((ROOT / "snippet_templates").glob("*.js"))
    if not path.name.endswith(".min.js")
]
EVERYWHERE = ("runtime.js", "hosted.js", "stub.js")
"""What runs on every page; other scripts do what pages ask for."""
HARMLESS = {"document.currentScript", "document.addEventListener"}
PARTS = re.compile(r"\b(?:navigator|document|location|performance|history)\.\w+")
TELLING = re.compile(
    r"\b(screen|userAgent\w*|languages?|plugins|mimeTypes|hardwareConcurrency|deviceMemory"
    r"|timeZone|getTimezoneOffset|resolvedOptions|Intl|canvas|getContext|AudioContext|fonts"
    r"|getBattery|connection|maxTouchPoints|platform|devicePixelRatio|matchMedia|innerWidth"
    r"|getVoices|mediaDevices|RTCPeerConnection|cookie|indexedDB|sessionStorage)\b"
)


def code(path: Path) -> str:
    """A script without its comments."""
    return re.sub(r"(?m)(^|\s)//.*$", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_read_that_tells_devices_apart(path: Path) -> None:
    assert TELLING.findall(code(path)) == []


def test_what_is_read_stands_in_the_docs() -> None:
    whole = "".join(code(ROOT / "snippet_templates" / name) for name in EVERYWHERE)
    read = set(PARTS.findall(whole)) - HARMLESS
    listed = (ROOT / "docs/snippet.md").read_text(encoding="utf-8")
    listed = listed.partition("## Consent and privacy")[2].partition("\n## ")[0]
    assert set(re.findall(rf"`({PARTS.pattern})`", listed)) == read
