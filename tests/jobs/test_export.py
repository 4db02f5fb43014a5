"""Exports: everything on the command line, and for a client what its timelines show."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from rq.job import Job

from tests.embedded.waiting import until
from tests.jobs.people import (
    ANN_LAPTOP,
    ANN_MAIL,
    ANN_PHONE,
    BEN,
    ann_comes,
    ben_lives_here,
    claim,
    know,
    make_client,
    merged,
)
from tests.jobs.planting import plant
from tests.worker.cast import Harbour, drain, hit, track
from tests.worker.processes import process
from tracker.actions import erasing, exporting
from tracker.rules.keyspaces import Identity
from tracker.stores import erasures, exports, hit_queue
from tracker.vault import Vault
from worker import erasure, export

Run = Callable[..., str]
Line = dict[str, Any]


def ask(harbour: Harbour, client: int | None = None, identity: Identity = ANN_MAIL) -> str:
    section_id, now = harbour.booking.section_id, datetime.now(UTC)
    asked = exporting.ask(harbour.db, harbour.redis, section_id, identity, now, client)
    assert asked is not None
    return asked.id


def parts(harbour: Harbour, id_: str) -> str:
    """All parts of an export that is ready."""
    return "".join(exports.parts(lambda: nullcontext(harbour.db), id_))


def made(harbour: Harbour, id_: str) -> list[Line]:
    """Make the export in this process; returns its lines."""
    count = export.run(harbour.db, id_, lambda: datetime.now(UTC))
    lines = [json.loads(line) for line in parts(harbour, id_).splitlines()]
    assert len(lines) == count
    return lines


def may_see(harbour: Harbour, *keyspaces: str) -> int:
    """An API client with these keyspaces."""
    id_ = make_client(harbour, "-".join(keyspaces))
    harbour.db.execute("UPDATE api_client SET keyspaces = %s WHERE id = %s", (list(keyspaces), id_))
    return id_


def of_type(lines: Iterable[Line], *types: str) -> list[Line]:
    return [line for line in lines if line["type"] in types]


@pytest.fixture
def people(harbour: Harbour) -> Harbour:
    ben_lives_here(harbour)
    ann_comes(harbour)
    return harbour


def test_what_redis_does_not_take_waits_for_nothing(people: Harbour) -> None:
    client = may_see(people, "email")
    with hit_queue.connect("redis://127.0.0.1:1", patience=1) as away:
        for _ in range(exporting.MOST_WAITING + 1):
            with pytest.raises(redis.RedisError):
                ask(replace(people, redis=away), client)
    assert exports.unfinished(people.db, datetime.now(UTC)) == []


def test_everything_there_is(people: Harbour) -> None:
    people.db.execute("UPDATE definition SET hidden_at = now()")
    lines = made(people, ask(people))
    assert Counter(line["type"] for line in lines) == {
        "profile": 1,
        "identifier": 3,
        "event": 12,
        "merge": 2,
        "quarantined": 4,
        "held": 2,
    }
    assert lines[0] == {"type": "profile", "created_at": "2026-11-18T12:00:00+00:00"}
    named = {(line["keyspace"], line["key"]) for line in of_type(lines, "identifier")}
    assert named == {(*ANN_MAIL,), (*ANN_PHONE,), (*ANN_LAPTOP,)}
    assert {line["hidden"] for line in of_type(lines, "event")} == {True}
    assert "ann's laptop\", oops" in "".join(line["raw"] for line in lines if "raw" in line)
    [wrong] = [line for line in of_type(lines, "quarantined") if line["reason"] == "invalid_data"][
        :1
    ]
    assert wrong["event"] == "Booking"
    told = of_type(lines, "event", "quarantined", "held")
    assert all({"address", "agent"} <= line.keys() for line in told)
    assert all({"sent_at", "clock_ms"} <= line.keys() for line in of_type(lines, "event"))
    assert wrong["errors"][0]["field"] == "reference"
    assert "due_at" in of_type(lines, "held")[0]


def test_what_an_event_says(harbour: Harbour) -> None:
    data = {"reference": "ü", "amount": "12345678901234567890.123456789", "nights": "3"}
    harbour.send(hit(BEN.key, data=data, page="https://example.com/a"))
    drain(harbour)
    id_ = ask(harbour, identity=BEN)
    export.run(harbour.db, id_, lambda: datetime.now(UTC))
    text = parts(harbour, id_)
    assert '"amount":12345678901234567890.123456789' in text
    [event] = of_type(map(json.loads, text.splitlines()), "event")
    assert event["data"] | {"amount": 0} == {
        "source": "Website",
        "reference": "ü",
        "amount": 0,
        "nights": 3,
    }
    assert event["page"] == "https://example.com/a"
    assert datetime.fromisoformat(event["event_time"]).tzinfo is not None
    assert (event["name"], event["version_number"], event["hidden"]) == ("Booking", 1, False)


def test_a_client_gets_what_its_timelines_show(harbour: Harbour) -> None:
    hidden, _ = track(harbour.db, harbour.redis, "quay")
    denied, _ = track(harbour.db, harbour.redis, "pier")
    harbour.db.execute("UPDATE definition SET hidden_at = now() WHERE id = %s", (hidden.id,))
    harbour.db.execute(
        "UPDATE definition SET denied_operations = '{email:read}' WHERE id = %s", (denied.id,)
    )
    harbour.db.execute(
        "UPDATE definition SET section_id = %s, name = name || id, slug = slug || id",
        (harbour.booking.section_id,),
    )
    ids = know(harbour, ANN_MAIL, ANN_PHONE, Identity(ANN_MAIL.keyspace.CRM_ID, "A-1"))
    now = datetime.now(UTC)
    for definition in (harbour.booking, hidden, denied):
        version_id = definition.versions[0].id
        plant(harbour, now, version_id=version_id, identifier_id=ids[ANN_PHONE])
    claim(harbour, ids[ANN_PHONE], {"email": "ann@example.com", "crm-id": "A-1", "x": "A-1"})
    mail, phone, crm = ids.values()
    merged(harbour, mail, phone)
    merged(harbour, phone, crm)
    lines = made(harbour, ask(harbour, may_see(harbour, "email", "web")))
    assert {line["key"] for line in of_type(lines, "identifier")} == {ANN_MAIL.key, ANN_PHONE.key}
    [event] = of_type(lines, "event")
    assert event["discriminator"] == harbour.booking.discriminator
    assert "hidden" not in event
    assert event["claims"] == {"email": "ann@example.com"}
    assert len(of_type(lines, "merge")) == 1
    assert "A-1" not in json.dumps(lines)
    by_web = made(harbour, ask(harbour, may_see(harbour, "web"), ANN_PHONE))
    assert len(of_type(by_web, "event")) == 2


def test_a_client_gets_no_hits_that_are_no_events(people: Harbour) -> None:
    lines = made(people, ask(people, may_see(people, "email")))
    assert of_type(lines, "quarantined", "held") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_client SET keyspaces = '{web}'",
        "UPDATE api_client SET revoked_at = now()",
        "UPDATE export SET expires_at = now()",
        "UPDATE export SET expires_at = made_at",
        "DELETE FROM event; DELETE FROM identifier",
    ],
)
def test_what_ends_an_export_before_it_is_made(harbour: Harbour, statement: str) -> None:
    know(harbour, ANN_MAIL)
    id_ = ask(harbour, may_see(harbour, "email"))
    harbour.db.execute(statement.encode())
    with pytest.raises(exports.EndedError):
        export.run(harbour.db, id_, lambda: datetime.now(UTC))


def test_in_parts_of_a_bounded_size(people: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PART", 700)
    id_ = ask(people)
    lines = made(people, id_)
    sizes = [n for (n,) in people.rows("SELECT length(body) FROM export_part WHERE number < 99")]
    assert len(sizes) > 5
    assert max(sizes) < 700 + max(len(json.dumps(line)) for line in lines)


def test_an_erasure_in_the_middle_ends_it(people: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PART", 500)
    id_ = ask(people)
    times: list[datetime] = []

    def clock() -> datetime:
        times.append(datetime.now(UTC))
        if len(times) == 4:  # some parts are there
            now, section_id = datetime.now(UTC), people.booking.section_id
            asked = erasing.ask(people.db, people.redis, section_id, ANN_PHONE, now)
            assert asked is not None
            found = erasures.get(people.db, asked.id)
            assert found is not None
            erasure.run(people.db, Vault(people.settings), found, now)
        return times[-1]

    with pytest.raises(exports.EndedError):
        export.run(people.db, id_, clock)
    assert people.rows("SELECT * FROM export_part WHERE export_id = %s", id_) == []


def test_a_killed_export_starts_over(people: Harbour) -> None:
    id_ = ask(people)
    exports.begin(people.db, id_, datetime.now(UTC))
    exports.add_part(people.db, id_, 1, '{"type":"half"}\n', datetime.now(UTC))
    people.redis.flushall()
    with process(people, "worker.jobs"):
        until(lambda: people.rows("SELECT FROM export WHERE id = %s AND ready_at > made_at", id_))
    types = {json.loads(line)["type"] for line in parts(people, id_).splitlines()}
    assert "half" not in types
    assert "event" in types


def test_on_the_command_line_an_erasure_ends_it_in_words(
    people: Harbour, pintag: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erased_as_it_is_ready(job: Job, *_: str, useless: str) -> int:
        id_ = str(job.args[0])
        lines = export.run(people.db, id_, lambda: datetime.now(UTC))
        exports.end(people.db, id_)
        return lines

    monkeypatch.setattr("tracker.cli.export.wait", erased_as_it_is_ready)
    out = pintag("profile", "export", "ann@example.com", "--keyspace", "email", code=2)
    assert "The export ended early: the person was erased meanwhile." in out


def test_on_the_command_line(people: Harbour, pintag: Run) -> None:
    command = ("profile", "export", "Ann@example.com", "--keyspace", "email")
    assert "no export without a jobs process" in pintag(*command, code=2)
    assert "No profile has the web 'nobody'" in pintag("profile", "export", "nobody", code=2)
    with process(people, "worker.jobs"):
        until(lambda: people.redis.smembers("rq:workers:pintag"), "it is registered")
        lines = [json.loads(line) for line in pintag(*command).splitlines() if line[:1] == "{"]
    assert len(of_type(lines, "event")) == 12
    assert len(of_type(lines, "quarantined", "held")) == 6
    later = datetime.now(UTC) + timedelta(seconds=1)
    found = people.rows(
        "SELECT count(*) FROM export WHERE id LIKE 'exp_%%' AND expires_at > %s", later
    )
    assert found == [(0,)]
