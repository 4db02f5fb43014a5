"""`pintag profile …`: the same timelines and merges, on a terminal."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.conftest import SECRET_KEY
from tests.pages.signing import sign_in
from tests.profiles.cast import ANN, Harbour
from tracker.api.app import make_app
from tracker.rules.keyspaces import Identity, Keyspace

EMAIL = "email:ann@example.com"


@pytest.fixture
def run(pintag: Run, harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on the harbour, where Ann has two events."""
    monkeypatch.setenv("PINTAG_SECRET_KEY", SECRET_KEY)
    harbour.post(ANN, harbour.item(), harbour.item(harbour.poll))
    return pintag


@pytest.mark.parametrize(
    ("options", "events"),
    [
        ([], ["Booking", "Poll"]),
        (["--event", "poll"], ["Poll"]),
        (["--event", "Booking"], ["Booking"]),
        (["--limit", "1"], ["Booking"]),
    ],
    ids=str,
)
def test_show(run: Run, harbour: Harbour, options: list[str], events: list[str]) -> None:
    harbour.db.execute("UPDATE event SET event_time = event_time + version_id * '-1 h'::interval")
    show = ["profile", "show", "Ann@example.com ", "--keyspace", "email", *options]
    printed = run(*show)
    assert "email: ann@example.com" in printed
    assert [name for name in ("Booking", "Poll") if name in printed] == events
    shown: dict[str, Any] = json.loads(run(*show, "--json"))
    assert [event["name"] for event in shown["events"]] == events


def test_merge_and_unmerge(run: Run) -> None:
    assert "one profile now" in run("profile", "merge", EMAIL, "web:a:b")
    assert "already" in run("profile", "merge", "com.pintag.keyspaces.web:a:b", EMAIL)
    printed = run("profile", "show", "a:b")
    assert "Booking" in printed
    assert f"merged  {EMAIL} and web:a:b  by the command line" in printed
    assert "of its own" in run("profile", "unmerge", "web:a:b")
    printed = run("profile", "show", "a:b")
    assert f"unmerged  web:a:b from {EMAIL}" in printed
    assert "Booking" not in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "ann", "--keyspace", "email"), "looks like ann@example.com"),
        (("show", "ann", "--keyspace", "fax"), "The keyspaces are: web, email"),
        (("show", "ann@example.com", "--keyspace", "email", "--event", "x"), "no event 'x'"),
        (("merge", EMAIL, "ann"), "KEYSPACE:KEY"),
        (("merge", EMAIL, "email:ben@example.com"), "different values of email"),
        (("unmerge", EMAIL), "only identifier"),
        (("unmerge", "crm-id:7"), "No profile has the crm-id '7'"),
        (("merge", EMAIL, "web:gone"), "erased"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: Run, harbour: Harbour, arguments: tuple[str, ...], says: str
) -> None:
    harbour.erase(Identity(Keyspace.WEB, "gone"))
    assert says in run("profile", *arguments, code=2)


def test_the_page_shows_merges(run: Run, harbour: Harbour) -> None:
    """Beside what strangers sent, as text."""
    run("profile", "merge", EMAIL, "web:<b>")
    with TestClient(make_app(harbour.settings), base_url="http://127.0.0.1") as client:
        sign_in(harbour.db, client)
        page = client.get("/sections/harbour/profiles/web/%3Cb%3E").text
    assert "the command line" in page
    assert "web:&lt;b&gt;" in page
    assert "<b>" not in page
