"""docs/protocol.md says what the code does."""

import json
import re
from pathlib import Path

import pytest
import uvicorn

from tests.collector.house import Collector, House
from tracker.collector import pixel, senders, server
from tracker.collector.http_limits import (
    HEADER_BYTES,
    MAX_HEAD,
    MAX_HEADERS,
    MOST_WAITING,
    REQUEST_SECONDS,
    WAITING_BYTES,
)
from tracker.collector.senders import MAX_AGENT, MAX_TAG
from tracker.rules.hits import MAX_BODY, MAX_HITS, MAX_TIME_MS, MAX_VISITOR, Hit
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.refusals import Refusal
from tracker.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("refusal", Refusal)
def test_refusals(refusal: Refusal) -> None:
    what_to_do = "drop" if refusal.permanent else "retry"
    assert f"| {refusal.status} | `{refusal}` | {refusal.meaning} | {what_to_do}" in PAGE


@pytest.mark.parametrize("reason", Reason)
def test_reasons(reason: Reason) -> None:
    assert f"| `{reason.outcome}` | `{reason}` | {reason.meaning} |" in PAGE


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes(outcome: Outcome) -> None:
    assert f"| `{outcome}` |" in PAGE


def test_parts_of_a_hit() -> None:
    for name in Hit.__struct_fields__:
        assert f"\n| `{name}` |" in PAGE


def test_parameters_of_the_pixel() -> None:
    for name in pixel._OWN:
        assert f"\n| `{name}` | `{name[1:]}` |" in PAGE
    assert f"At most {pixel.MAX_PARAMETERS} parameters" in PAGE


def test_parameters_and_what_is_noted_of_the_sender() -> None:
    for name in pixel._SENDERS:
        assert f"`{name}`" in PAGE
        assert f"\n| `{name[1:]}` |" in PAGE
    assert f"over {MAX_TAG} characters" in PAGE
    assert f"at most {MAX_AGENT} characters" in PAGE
    for header in senders._PURPOSES:
        assert f"`{header.decode()}`" in PAGE.lower()


def test_limits() -> None:
    assert f"**{MAX_BODY:,} bytes**" in PAGE
    assert f"array of 1 to {MAX_HITS} " in PAGE
    assert f"1 to {MAX_VISITOR} characters" in PAGE
    assert str(MAX_TIME_MS) in PAGE
    assert f"more than {MAX_HEADERS} headers, or {MAX_HEAD:,} bytes of them" in PAGE
    assert f"within {REQUEST_SECONDS:.0f} seconds" in PAGE


def test_the_examples_body_is_taken(collector: Collector, house: House, key: str) -> None:
    (example,) = re.findall(r"^\{.*\$ID.*\}$", PAGE, re.MULTILINE)
    body = example.replace("$NOW", "1795422600000").replace("$ID", "x").encode()
    assert collector.post(key, body).status_code == 204
    assert [json.loads(hit) for hit in house.hits()] == json.loads(body)["hits"]


def test_limits_of_connections() -> None:
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    given = Settings()
    assert f"| {given.connections:,} (`PINTAG_CONNECTIONS`) |" in security
    assert f"| {given.address_connections} (`PINTAG_ADDRESS_CONNECTIONS`)" in security
    assert f"| {given.queue_percent}% of Redis's memory" in security
    assert f"| {MAX_HEADERS}, of {MAX_HEAD:,} bytes in all |" in security
    assert f"| {REQUEST_SECONDS:.0f} s | the connection is closed |" in security
    waiting = f"{MOST_WAITING:,} bytes: {WAITING_BYTES:,} each, {HEADER_BYTES} for each header"
    assert f"on a connection | {waiting}, and their bodies |" in security
    idle = uvicorn.Config("", **server.options(given)).timeout_keep_alive
    assert f"{idle} s after the last answer, {REQUEST_SECONDS:.0f} s before the first" in security
