"""`pintag event …`: edit, diff, check, pages, allow, retain and hide, as they print."""

import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.definitions.cast import Inn, make_inn
from tracker.settings import Settings

PAST = "UPDATE definition SET locked_until = locked_until - interval '1 hour'"
USABLE = "UPDATE version SET usable_from = usable_from - interval '1 hour'"


@pytest.fixture
def inn(settings: Settings, db: psycopg.Connection, redis: Redis) -> Inn:
    """The section Inn with its event Stay: source and guests, an optional integer."""
    return make_inn(settings, db, redis)


def an_hour_later(inn: Inn) -> None:
    inn.db.execute(PAST)
    inn.db.execute(USABLE)


def shown(pintag: Run, name: str = "stay") -> dict[str, Any]:
    return dict(json.loads(pintag("event", "show", name, "--json")))


def test_an_edit_is_saved_and_locks(inn: Inn, pintag: Run) -> None:
    out = pintag("event", "edit", "Stay", "--field", "nights:integer:required")
    assert "'Stay' is saved." in out
    assert "`nights` is new and required: hits without it would be rejected." in out
    assert re.search(r"Version 2 can be used at .*Z \(in 60 minutes\)", out)
    assert re.search(r"It can be edited again at .*Z \(in 60 minutes\)", out)
    out = pintag("event", "edit", "stay", "--name", "Visit", code=2)
    assert re.search(r"'Stay' can be edited again at .*Z \(in 60 minutes\)", out)
    out = pintag("event", "show", "stay")
    assert re.search(r"it can be edited again at .*Z \(in 60 minutes\)", out)
    assert re.search(r"version 2 \(ver_\w+, can be used at .*Z \(in 60 minutes\)\)", out)
    assert re.search(r"version 1 \(ver_\w+, current\)", out)
    an_hour_later(inn)
    out = pintag("event", "show", "stay")
    assert "it can be edited again" not in out
    assert re.search(r"version 2 \(ver_\w+, current\)", out)
    assert re.search(r"version 1 \(ver_\w+, deprecated since ", out)


def test_an_edit_that_changes_nothing(inn: Inn, pintag: Run) -> None:
    for options in ((), ("--name", "Stay"), ("--field", "guests:integer")):
        assert "nothing was saved or locked" in pintag("event", "edit", "stay", *options)
    assert shown(pintag)["locked_until"] is None


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (("--field", "nights:integer"), ["source:text!", "guests:integer", "nights:integer"]),
        (("--field", "guests:decimal:required"), ["source:text!", "guests:decimal!"]),
        (("--remove", "guests"), ["source:text!"]),
        (("--remove", "guests", "--field", "pets:boolean"), ["source:text!", "pets:boolean"]),
    ],
)
def test_fields_that_are_not_named_stay(
    inn: Inn, pintag: Run, options: tuple[str, ...], fields: list[str]
) -> None:
    before = {f["key"]: f["id"] for f in shown(pintag)["versions"][0]["fields"]}
    edited = json.loads(pintag("event", "edit", "stay", *options, "--json"))
    newest = max(edited["event"]["versions"], key=lambda version: int(version["number"]))
    assert [f"{f['key']}:{f['type']}{'!' * f['required']}" for f in newest["fields"]] == fields
    assert all(before.get(f["key"], f["id"]) == f["id"] for f in newest["fields"])
    assert edited["changes"]["name"] is None


def test_all_fields_from_a_file(inn: Inn, pintag: Run, tmp_path: Path) -> None:
    source, guests = shown(pintag)["versions"][0]["fields"]
    file = tmp_path / "new.json"
    file.write_text(json.dumps([{**guests, "key": "people"}, source]))
    out = pintag("event", "edit", "stay", "--fields", str(file))
    assert "`guests` has the key `people` now" in out
    assert "in another order" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--field", "x"), "KEY:TYPE"),
        (("--field", "1:text"), "fields[2].key: "),
        (("--remove", "x"), "the fields are: source, guests"),
        (("--remove", "source"), "Every event says where it comes from"),
        (("--fields", "/nowhere.json"), "can't be read"),
        (("--fields", "x.json", "--field", "a:text"), "leave out --field"),
        (("--name", " "), "name: "),
        (("--based-on", "3"), "based_on: This event was edited 0 times"),
    ],
)
def test_edits_that_are_refused(inn: Inn, pintag: Run, options: tuple[str, ...], says: str) -> None:
    assert says in pintag("event", "edit", "stay", *options, code=2)
    assert shown(pintag)["edits"] == 0


def test_an_edit_by_somebody_else_since(inn: Inn, pintag: Run) -> None:
    pintag("event", "edit", "stay", "--name", "Visit")
    an_hour_later(inn)
    out = pintag("event", "edit", "stay", "--name", "Trip", "--based-on", "0", code=2)
    assert "'Visit' was edited meanwhile: nothing was saved." in out
    assert "The name was 'Stay' and is 'Visit' now." in out
    pintag("event", "edit", "stay", "--name", "Trip", "--based-on", "1")


def test_a_name_that_is_taken(inn: Inn, pintag: Run) -> None:
    pintag("event", "create", "Bark")
    for command in (("create", "Bark"), ("edit", "stay", "--name", "Bark")):
        assert "choose another name" in pintag("event", *command, code=2)


def test_diff(inn: Inn, pintag: Run) -> None:
    assert "has no version before 1" in pintag("event", "diff", "stay", code=2)
    pintag("event", "edit", "stay", "--field", "guests:decimal")
    an_hour_later(inn)
    pintag("event", "edit", "stay", "--remove", "guests")
    out = pintag("event", "diff", "stay")
    assert "From version 2 to version 3:" in out
    assert "✗ removed" in out
    assert "valid under version 2 need not fit" in out
    out = pintag("event", "diff", "stay", "1", "2")
    assert "✓ retyped" in out
    assert "valid under version 1 fits" in out
    back = json.loads(pintag("event", "diff", "stay", "3", "1", "--json"))
    assert (back["from"], back["to"], back["fits"]) == (3, 1, True)
    assert [change["kind"] for change in back["changes"]] == ["added"]
    assert "From version 1 to version 3:" in pintag("event", "diff", "stay", "1")
    assert "The versions are: 1, 2, 3." in pintag("event", "diff", "stay", "7", code=2)


def test_check(inn: Inn, pintag: Run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ids = [inn.visit(now, f'{{"source":"\\u001b[31m","guests":{number}}}') for number in range(4)]
    file = tmp_path / "new.json"
    file.write_text('[{"key": "source", "type": "boolean", "required": true}]')
    assert "Nothing was checked" in pintag("event", "check", "stay", "--fields", str(file), code=2)
    out = pintag("event", "check", "stay", "--remove", "guests")
    assert "4 of 4 events since " in out
    assert "4  guests: unknown_field" in out
    assert sum(str(id_) in out for id_ in ids) == 3
    out = pintag("event", "check", "stay", "--field", "guests:decimal", "--hits", "2")
    assert "0 of the newest 2 events would have been rejected" in out
    found = json.loads(pintag("event", "check", "stay", "--remove", "guests", "--json"))
    assert (found["checked"], found["rejected"], found["whole"]) == (4, 4, True)
    assert "Say which fields to check" in pintag("event", "check", "stay", code=2)
    assert shown(pintag)["edits"] == 0


def test_pages(inn: Inn, pintag: Run) -> None:
    assert "No event since " in pintag("event", "pages", "stay")
    now = datetime.now(UTC)
    inn.visit(now, page="https://inn.example/[b]?secret")
    inn.visit(now, page="\x1b[31mred")
    out = pintag("event", "pages", "stay")
    assert "https://inn.example/[b]" in out
    assert "secret" not in out
    assert "\x1b[31m" not in out
    found = json.loads(pintag("event", "pages", "stay", "--json"))
    assert {page["events"] for page in found["pages"]} == {1}


def test_allowed_operations(inn: Inn, pintag: Run) -> None:
    out = pintag("event", "allow", "stay", "--deny", "email:read", "--deny", "crm-id:write")
    assert "'Stay' denies crm-id:write, email:read to API clients." in out
    assert "API clients may not use crm-id:write, email:read" in pintag("event", "show", "stay")
    out = pintag(
        "event", "allow", "stay", "--allow", "com.pintag.keyspaces.crm-id:write",
        "--deny", "email:read",
    )  # fmt: skip
    assert "denies email:read to" in out
    assert shown(pintag)["keyspaces"]["com.pintag.keyspaces.email"] == {
        "read": False, "write": True,
    }  # fmt: skip
    assert "Say what" in pintag("event", "allow", "stay", code=2)
    out = pintag("event", "allow", "stay", "--deny", "fax:read", code=2)
    assert "The keyspaces are: web, email, mobile, crm-id" in out
    out = pintag("event", "allow", "stay", "--deny", "web:read", "--allow", "web:read", code=2)
    assert "can't be both" in out


def test_retention(inn: Inn, pintag: Run) -> None:
    assert "kept for ever" in pintag("event", "show", "stay")
    assert "deleted after 90 days" in pintag("event", "retain", "stay", "--days", "90")
    assert "deleted after 90 days" in pintag("event", "show", "stay")
    assert "for ever" in pintag("event", "retain", "stay", "--for-ever")
    assert shown(pintag)["ttl_days"] is None
    for options in ((), ("--days", "3", "--for-ever"), ("--days", "0"), ("--days", "36501")):
        pintag("event", "retain", "stay", *options, code=2)


def test_tracking_rights_and_retention_lock_nothing(inn: Inn, pintag: Run) -> None:
    pintag("event", "edit", "stay", "--name", "Visit")
    pintag("event", "track", "stay")
    pintag("event", "allow", "stay", "--deny", "email:read")
    pintag("event", "retain", "stay", "--days", "90")
    assert shown(pintag)["edits"] == 1
    pintag("event", "hide", "stay", "--yes")


@pytest.mark.parametrize(("answer", "hidden"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_hide_asks(
    inn: Inn, pintag: Run, monkeypatch: pytest.MonkeyPatch, answer: str, hidden: bool
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(answer))
    out = pintag("event", "hide", "stay", code=0 if hidden else 1)
    assert "This action cannot be undone" in out
    assert (inn.stay.hidden_at is not None) is hidden


def test_a_hidden_one_is_not_found_any_more(inn: Inn, pintag: Run) -> None:
    assert "'Stay' is hidden." in pintag("event", "hide", "stay", "--yes")
    for command in (
        ("show",), ("edit",), ("diff",), ("check", "--remove", "guests"), ("pages",), ("track",),
        ("untrack",), ("allow", "--deny", "email:read"), ("retain", "--for-ever"),
    ):  # fmt: skip
        out = pintag("event", command[0], "stay", *command[1:], code=2)
        assert "has no event 'stay'" in out
    assert "No events yet" in pintag("event", "list")
    assert "'Stay' is hidden already." in pintag("event", "hide", "stay")


def test_the_slug_of_one_and_the_name_of_another(inn: Inn, pintag: Run) -> None:
    pintag("event", "edit", "stay", "--name", "Visit")
    pintag("event", "create", "stay")
    old, new = (shown(pintag, name)["discriminator"] for name in ("Visit", "stay-2"))
    out = pintag("event", "hide", "stay", "--yes", code=2)
    assert "'stay' is the slug of 'Visit' and the name of another event" in out
    assert f"{old} or {new}." in out
    pintag("event", "hide", old, "--yes")
    assert shown(pintag)["discriminator"] == new
    assert "'stay' is hidden." in pintag("event", "hide", "stay", "--yes")
    assert "'Visit' is hidden already." in pintag("event", "hide", "stay")
