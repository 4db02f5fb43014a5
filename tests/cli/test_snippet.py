"""`pintag snippet`: which snippets there are, of which versions, with which keys."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop
from tracker.snippets.forms import FORMS
from tracker.snippets.render import hosted_script
from tracker.stores import losses


@pytest.fixture
def vote(shop: Run, tmp_path: Path) -> Run:
    """Vote, tracked, whose version 2 can't be used for another hour."""
    shop("event", "create", "Vote", "--field", "topic:text")
    shop("event", "track", "vote")
    file = tmp_path / "fields.json"
    fields = [{"key": "source", "type": "text", "required": True}, {"key": "n", "type": "integer"}]
    file.write_text(json.dumps(fields))
    shop("event", "edit", "vote", "--fields", str(file))
    return shop


def keys(db: psycopg.Connection) -> dict[int, str]:
    """The keys in use, by version."""
    rows = db.execute(
        "SELECT v.number, s.key FROM snippet s JOIN version v ON v.id = s.version_id"
        " WHERE s.retires_at IS NULL"
    )
    return {number: key for number, key in rows}  # noqa: C416 -- its rows are of any length


def test_show_by_version(vote: Run, db: psycopg.Connection) -> None:
    found = keys(db)
    current = vote("snippet", "show", "vote")
    assert f"/v1/{found[1]}" in current
    assert "usable from" not in current
    for form in ("inline", "hosted"):
        upcoming = vote("snippet", "show", "vote", "--version", "2", "--form", form)
        assert f"/v1/{found[2]}" in upcoming
        assert "version 2" in upcoming.splitlines()[0]
        assert "usable from 20" in upcoming.splitlines()[0]
        assert "until then its hits wait" in upcoming
    assert "has no version '7'" in vote("snippet", "show", "vote", "--version", "7", code=2)


def test_show_has_a_call_to_begin_with(vote: Run) -> None:
    assert "pintag('vote', {\n  topic: \"Example\",  // can be left out\n})" in vote(
        "snippet", "show", "vote"
    )
    assert "track({" in vote("snippet", "show", "vote", "--form", "module")


def test_list(vote: Run, db: psycopg.Connection) -> None:
    vote("event", "create", "Untracked")
    for listed in (vote("snippet", "list"), vote("snippet", "list", "vote")):
        _, second, first = listed.splitlines()
        assert first.split() == ["Vote", "1", keys(db)[1], "in", "use", "on", "0"]
        assert f"{keys(db)[2]}  offered from 20" in second
    vote("event", "untrack", "vote")
    assert vote("snippet", "list").splitlines()[1].split()[-2] == "off"


def test_list_shows_what_senders_lost(vote: Run, db: psycopg.Connection, redis: Redis) -> None:
    redis.hset(losses.LOST, keys(db)[1], 12_345)
    _, second, first = vote("snippet", "list").splitlines()
    assert (second.split()[-1], first.split()[-1]) == ("0", "12,345")
    assert "12,345  hits given up by their senders, at least" in vote("audit")
    assert json.loads(vote("audit", "--json"))["lost"] == 12_345


def test_regenerate(vote: Run, db: psycopg.Connection) -> None:
    before = keys(db)
    out = vote("snippet", "regenerate", "vote")
    assert "pintag snippet show vote" in out
    assert keys(db) == before
    out = vote("snippet", "regenerate", "vote", "--rotate-key")
    after = keys(db)
    assert set(after) == {1, 2}
    assert not set(after.values()) & set(before.values())
    assert out.count("retires at 20") == 2
    assert all(key in out for key in (*before.values(), *after.values()))
    vote("snippet", "regenerate", "vote", "--rotate-key", "--grace-days", "0")
    year = datetime.now(UTC).year
    assert f"{after[1]}  retired {year}" in vote("snippet", "list", "vote")


def test_regenerate_ends_one_key(vote: Run, db: psycopg.Connection) -> None:
    before = keys(db)
    now = ("vote", "--rotate-key", "--grace-days", "0")
    out = vote("snippet", "regenerate", *now, "--key", before[1])
    after = keys(db)
    assert after[1] != before[1]
    assert after[2] == before[2]
    assert f"{before[1]}  retired {datetime.now(UTC).year}" in out


def test_a_key_that_can_not_be_ended(vote: Run, db: psycopg.Connection) -> None:
    before = keys(db)
    rotate = ("snippet", "regenerate", "--rotate-key", "--key")
    said = vote(*rotate, "k" * 20, "vote", code=2)
    assert (
        "No snippet of 'Vote' has this key. See which there are: pintag snippet list vote" in said
    )
    vote("event", "create", "Other")
    vote("event", "track", "other")
    assert "No snippet of 'Other' has this key." in vote(*rotate, before[1], "other", code=2)
    for wrong in (("--all", "--rotate-key"), ("vote",)):
        said = vote("snippet", "regenerate", *wrong, "--key", before[1], code=2)
        assert "--key goes with the name of an event and --rotate-key." in said
    assert vote("snippet", "list", "vote").count("retire") == 0


def test_refusals(shop: Run) -> None:
    shop("event", "create", "Vote")
    assert "pintag event track vote" in shop("snippet", "regenerate", "vote", code=2)
    assert "--all" in shop("snippet", "regenerate", code=2)
    assert "--all" in shop("snippet", "regenerate", "vote", "--all", code=2)
    assert "--grace-days" in shop(
        "snippet", "regenerate", "vote", "--rotate-key", "--grace-days", "-1", code=2
    )


def test_attributes_come_with_the_snippet_if_asked_for(vote: Run) -> None:
    for form in ("inline", "hosted"):
        plain = vote("snippet", "show", "vote", "--form", form)
        assert "data-pintag-" not in plain
        more = vote("snippet", "show", "vote", "--form", form, "--attributes")
        assert "data-pintag-" in more


def test_a_snippet_for_trying_out_says_how_to_watch_it(vote: Run) -> None:
    shown = vote("snippet", "show", "vote", "--test")
    assert "data-pintag-debug=" in shown
    assert "pintag snippet watch vote" in shown
    assert "watch" not in vote("snippet", "show", "vote")


def test_every_form_can_be_shown(vote: Run) -> None:
    help_ = " ".join(vote("snippet", "show", "--help").replace("│", " ").split())
    for name, form in FORMS.items():
        assert form.summary in help_
        shown = vote("snippet", "show", "vote", "--form", name)
        assert "Pintag: Vote, version 1, " in shown
        assert " gzipped. " in shown
        assert ("Content-Security-Policy: " in shown) == (form.suffix in ("html", "js", "tpl"))
    hosted = vote("snippet", "show", "vote", "--form", "hosted", "--nonce", "{{ nonce }}")
    assert "Content-Security-Policy: script-src 'nonce-{{ nonce }}'; connect-src http" in hosted
    assert f"Subresource Integrity: {hosted_script().integrity}" in hosted
    assert "?test" in vote("snippet", "show", "vote", "--test")
    assert "nonce" in vote("snippet", "show", "vote", "--nonce", "<?= $n ?>", code=2)
    assert "inline" in vote("snippet", "show", "vote", "--form", "pdf", code=2)
