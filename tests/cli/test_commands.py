"""The commands on a terminal: what they print, and how they say no."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tracker import cli
from tracker.settings import Settings

Run = Callable[..., str]


@pytest.fixture
def pintag(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command on the test's stores; returns what it printed, errors too."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("PINTAG_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["pintag", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.out + printed.err
        assert "Traceback" not in printed.err
        return printed.out + printed.err

    return run


@pytest.fixture
def shop(pintag: Run) -> Run:
    """The same, with a section to work in."""
    pintag("section", "create", "Shop")
    return pintag


def test_from_a_definition_to_its_snippet(shop: Run) -> None:
    out = shop("event", "create", "Booking", "--category", "transactions")
    assert "Next: pintag event track booking" in out
    assert "Next: pintag snippet show booking" in shop("event", "track", "Booking")
    for form in ("inline", "hosted"):
        assert "<script" in shop("snippet", "show", "booking", "--form", form)
    assert "on" in shop("event", "list")
    assert "off" in shop("event", "untrack", "booking")
    assert "pintag event track booking" in shop("snippet", "show", "booking", code=2)


def test_what_is_printed_as_the_next_step_works_among_several_sections(shop: Run) -> None:
    shop("section", "create", "Inn")
    there = ("--section", "inn")
    assert "pintag event create NAME --section inn" in shop("event", "list", *there)
    shop("event", "create", "Other", "--section", "shop")
    step = next_step(shop("event", "create", "Stay", *there))
    assert step == ["event", "track", "stay", *there]
    assert "pintag event track stay --section inn" in shop(
        "snippet", "show", "stay", *there, code=2
    )
    step = next_step(shop(*step))
    assert step == ["snippet", "show", "stay", *there]
    watch = shop(*step, "--test").split("Watch: pintag ")[1].splitlines()[0]
    assert watch == "snippet watch stay --section inn"
    step = next_step(shop("snippet", "regenerate", "stay", *there))
    assert "<script" in shop(*step)
    assert "pintag event list --section inn" in shop("event", "show", "other", *there, code=2)


def next_step(out: str) -> list[str]:
    return out.split("Next: pintag ")[1].split()


def test_fields_on_the_command_line_and_in_a_file(shop: Run, tmp_path: Path) -> None:
    shop("event", "create", "Vote", "--field", "topic:text:required", "--field", "n:integer")
    [version] = json.loads(shop("event", "show", "vote", "--json"))["versions"]
    assert [(f["key"], f["type"], f["required"]) for f in version["fields"]] == [
        ("source", "text", True),
        ("topic", "text", True),
        ("n", "integer", False),
    ]
    file = tmp_path / "fields.json"
    file.write_text('[{"key": "source", "type": "text", "required": true}]')
    shop("event", "create", "Poll", "--fields", str(file))
    assert "source" in shop("event", "show", "poll")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("event", "show", "nothing"), "pintag event list"),
        (("event", "create", " "), "name: "),
        (("event", "create", "A", "--category", "x"), "category: "),
        (("event", "create", "A", "--field", "a"), "KEY:TYPE"),
        (("event", "create", "A", "--field", "a:colour"), "text, boolean"),
        (("event", "create", "A", "--fields", "/nowhere.json"), "can't be read"),
        (("event", "list", "--section", "moon"), "The sections are: shop"),
        (("profile", "show", "ann"), "No profile has the web 'ann'"),
        (("quarantine", "show", "7"), "no hit 7"),
        (("quarantine", "list", "--reason", "x"), "The reasons are: malformed"),
        (("quarantine", "replay"), "--reason REASON or --all"),
        (("quarantine", "discard", "--all"), "No hit in quarantine matches"),
        (("section", "create", "shop"), "is a section 'shop' already"),
        (("section", "create", "inn", "--origin", "inn.example"), "looks like https://inn.example"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_a_line(
    shop: Run, arguments: tuple[str, ...], says: str
) -> None:
    assert says in shop(*arguments, code=2)


def test_several_sections_must_be_told_apart(shop: Run) -> None:
    shop("section", "create", "Hotel", "--origin", "HTTPS://Hotel.example:443/", "--strict")
    assert "Say which section you mean" in shop("event", "list", code=2)
    shop("event", "create", "Stay", "--section", "hotel")
    assert "Stay" in shop("event", "list", "--section", "hotel")
    assert "https://hotel.example" in shop("section", "list")


def test_an_audit_that_does_not_balance_exits_1(shop: Run, db: psycopg.Connection) -> None:
    assert "The ledger balances." in shop("audit")
    db.execute("UPDATE hit_partition SET counted = 3 WHERE number = 2")
    assert "partition 2" in shop("audit", code=1)
    assert json.loads(shop("audit", "--json", code=1))["balanced"] is False


def test_names_are_shown_as_they_are(shop: Run) -> None:
    name = "[bold]x[/bold] [/] :tada:"
    shop("section", "create", name)
    shop("event", "create", name, "--section", "shop", "--description", "[dim]")
    for command in (("section", "list"), ("event", "list", "--section", "shop")):
        assert name in shop(*command)
    [event] = json.loads(shop("event", "list", "--section", "shop", "--json"))
    shown = shop("event", "show", event["slug"], "--section", "shop")
    assert name in shown
    assert "[dim]" in shown


def test_a_database_without_the_schema(pintag: Run, db: psycopg.Connection) -> None:
    db.execute("DROP SCHEMA public CASCADE")
    assert "Run: pintag migrate" in pintag("event", "list", code=2)


@pytest.mark.parametrize("prefix", ["pintag", "com.Pintag", "com..pintag", "com.pin tag"])
def test_a_prefix_that_is_none(
    pintag: Run, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    monkeypatch.setenv("PINTAG_PREFIX", prefix)
    assert "PINTAG_PREFIX: " in pintag("migrate", code=2)
    assert db.execute("SELECT to_regclass('installation')").fetchone() == (None,)
    monkeypatch.setenv("PINTAG_PREFIX", "org.example-shop")
    pintag("migrate")
    assert db.execute("SELECT prefix FROM installation").fetchone() == ("org.example-shop",)


def test_an_empty_quarantine(shop: Run) -> None:
    assert "The quarantine is empty." in shop("quarantine", "list")
    assert json.loads(shop("quarantine", "list", "--json")) == []


def test_a_queue_of_its_own_that_is_away(pintag: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINTAG_QUEUE_URL", "redis://127.0.0.1:1")
    assert "Is REDIS_URL, or PINTAG_QUEUE_URL, right?" in pintag("audit", code=2)
