"""The forms that need no browser: run as they are printed, their event is on a profile."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.embedded.waiting import until
from tests.snippets.pages import read
from tests.whole.installation import Installation

pytestmark = pytest.mark.slow

VISITOR = "customer-4711"
FIELDS = ("paid:boolean", "day:date", "at:timestamp", "count:integer", "price:decimal:required")
SENT = {"paid": True, "count": 42, "price": "12.50"}


@pytest.fixture(scope="module")
def delivery(pintag: Installation) -> str:
    """An event with a field of each type, tracked."""
    options = [part for field in FIELDS for part in ("--field", field)]
    pintag.pintag("event", "create", "Delivery", "--field", "note:text", *options)
    pintag.pintag("event", "track", "delivery")
    return "delivery"


def arrived(pintag: Installation, visitor: str) -> list[dict[str, object]]:
    """What the visitor's events hold, the decimal as it is written."""
    with pintag.database() as connection:
        rows = connection.execute(
            "SELECT e.data, e.data->>'price' FROM event e JOIN identifier i ON i.id ="
            " e.identifier_id WHERE i.keyspace = 'web' AND i.key = %s",
            (visitor,),
        )
        return [{**data, "price": price} for data, price in rows]


def run(pintag: Installation, visitor: str, *command: str, text: str = "") -> dict[str, object]:
    """Run a form; returns what its event holds."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: arrived(pintag, visitor) != [])
    (event,) = arrived(pintag, visitor)
    return event


def test_curl(pintag: Installation, delivery: str) -> None:
    text = pintag.pintag("snippet", "show", delivery, "--form", "curl")
    text = text.replace(VISITOR, "by-curl")
    event = run(pintag, "by-curl", "sh", "-eu", text=text)
    assert event["source"] == "Server"
    assert {key: event[key] for key in SENT} == SENT


def test_python(pintag: Installation, delivery: str, tmp_path: Path) -> None:
    text = pintag.pintag("snippet", "show", delivery, "--form", "python")
    file = tmp_path / "delivery.py"
    file.write_text(text.replace(VISITOR, "by-python"))
    event = run(pintag, "by-python", sys.executable, "-W", "error", "-I", str(file))
    assert event["source"] == "Server"
    assert {key: event[key] for key in SENT} == SENT


def test_pixel(pintag: Installation, delivery: str) -> None:
    text = pintag.pintag("snippet", "show", delivery, "--form", "pixel")
    page = read(text)
    address = page.images[0]["src"] or ""
    values = {"VISITOR": "by-pixel", "note": "a%26b", "paid": "true", "day": "2026-11-23"}
    values |= {"at": "1795422600", "count": "42", "price": "12.50"}
    for name, value in values.items():
        address = address.replace("VISITOR" if name == "VISITOR" else f"VALUE_{name}", value)
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "image/gif"
    until(lambda: arrived(pintag, "by-pixel") != [])
    (event,) = arrived(pintag, "by-pixel")
    assert (event["source"], event["note"]) == ("Mail", "a&b")
    assert {key: event[key] for key in SENT} == SENT
