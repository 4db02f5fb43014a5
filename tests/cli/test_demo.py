"""The demo section, which every `pintag up` makes sure of."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from redis import Redis

from tracker.actions import editing, hiding
from tracker.actions.demo import ensure_demo
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import clients, definitions, sections


def test_what_was_switched_off_stays_off(
    settings: Settings, db: psycopg.Connection, redis: Redis, tmp_path: Path
) -> None:
    settings = dataclasses.replace(settings, data_dir=str(tmp_path))
    first = ensure_demo(settings)
    section = sections.choose(db, "demo")
    booking = definitions.find(db, section.id, "booking")
    assert booking is not None
    assert booking.web_tracking
    tracking.switch_off(db, redis, booking)
    assert ensure_demo(settings) == first
    tracked = {one.slug: one.web_tracking for one in definitions.visible(db, section.id)}
    assert tracked == {"booking": False, "loyalty-tier": True, "poll-vote": True}


def test_what_was_edited_or_hidden_stays_so(
    settings: Settings, db: psycopg.Connection, redis: Redis, tmp_path: Path
) -> None:
    settings = dataclasses.replace(settings, data_dir=str(tmp_path))
    before = [one["snippet_key"] for one in ensure_demo(settings)["definitions"]]
    section = sections.choose(db, "demo")
    for slug in ("booking", "poll-vote"):
        definition = definitions.find(db, section.id, slug)
        assert definition is not None
        now = datetime.now(UTC)
        source = {"key": "source", "type": "text", "required": True}
        sent = {"name": f"My {slug}", "fields": [source]}
        edited = editing.edit(db, redis, definition, sent, now=now, cooldown=3_600).definition
        if slug == "poll-vote":
            hiding.hide(db, redis, edited, now=now)
    after = ensure_demo(settings)["definitions"]
    assert [one["name"] for one in after] == ["My booking", "Loyalty tier", "My poll-vote"]
    assert [one["snippet_key"] for one in after] == before
    assert len(definitions.visible(db, section.id)) == 2


def test_the_demos_client_is_kept_in_a_private_file(
    settings: Settings, db: psycopg.Connection, tmp_path: Path
) -> None:
    settings = dataclasses.replace(settings, data_dir=str(tmp_path))
    first = ensure_demo(settings)
    assert (tmp_path / "demo-client.json").stat().st_mode & 0o777 == 0o600
    [client] = clients.every(db, sections.choose(db, "demo").id)
    assert client.public_id == first["client_id"]
    assert clients.has_secret(db, client, first["client_secret"])
    clients.revoke(db, client.section_id, client.public_id, client.created_at)
    assert ensure_demo(settings)["client_id"] != first["client_id"]
