"""A profile's page: its timeline by parts, what an owner may do with it, and hostile values."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote

import psycopg
import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.jobs.people import make_client
from tests.jobs.planting import plant
from tests.pages.conftest import Person, SignIn
from tests.pages.kept import ESCAPED, HOSTILE, ROOT, is_clean, posted, run_jobs
from tests.worker.cast import ANN, BEN, Harbour, drain, hit, track
from tracker.actions import exporting, merging
from tracker.pages.profiles import PAGE
from tracker.rules.accounts import Role
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import audit_log, exports, profiles
from tracker.vault import Vault
from worker.resuming import enqueue_unfinished

ANNS = f"{ROOT}/profiles/web/{ANN}"


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


@pytest.fixture
def owner(harbour: Harbour, sign_in: SignIn) -> Person:
    return sign_in(Role.OWNER, "harbour")


def come(harbour: Harbour, visitor: str = ANN, **changes: object) -> None:
    """An event of a visitor's is stored."""
    harbour.send(hit(visitor, **changes))
    drain(harbour)


def events_on(text: str) -> list[str]:
    return re.findall(r'data-id="([^"]+)"', text)


def older_on(text: str) -> str:
    found = re.search(r'<p class="older"><a href="([^"]+)"', text)
    return found[1] if found else ""


def merge(harbour: Harbour, second: Identity) -> None:
    vault, now = Vault(harbour.settings), datetime.now(UTC)
    pair = (Identity(Keyspace.WEB, ANN), second)
    merging.merge(harbour.db, vault, harbour.booking.section_id, pair, "the CRM", now)


def test_an_event_has_its_icon_fields_version_and_time(harbour: Harbour, owner: Person) -> None:
    come(harbour, data={"reference": "B-7", "amount": "240.50"}, page="https://harbour.example/b")
    status, text = owner.get(ANNS)
    assert status == 200
    for expected in (
        'aria-label="Transactions"',
        '<a href="/sections/harbour/events/booking">Booking</a></strong>',
        "version 1",
        "<dt>reference</dt><dd>B-7</dd>",
        "<dt>amount</dt><dd>240.50</dd>",
        "https://harbour.example/b",
    ):
        assert expected in text
    assert re.search(r'<time class="quiet" datetime="\d{4}-\S+\+00:00">\S+ \S+ UTC</time>', text)
    assert "Show older" not in text


def test_a_corrected_clock_is_told(harbour: Harbour, owner: Person) -> None:
    come(harbour)
    ((identifier,),) = harbour.rows("SELECT id FROM identifier")
    late = timedelta(hours=2, minutes=30)
    plant(harbour, datetime.now(UTC), identifier_id=identifier, behind=late)
    assert "clock was 2.5 h behind" in owner.get(ANNS)[1]


def test_the_whole_timeline_comes_in_parts(harbour: Harbour, owner: Person) -> None:
    come(harbour)
    ((identifier,),) = harbour.rows("SELECT id FROM identifier")
    now = datetime.now(UTC)
    times = [now - timedelta(hours=n // 3) for n in range(2 * PAGE + 4)]  # some at one moment
    plant(harbour, *times, identifier_id=identifier)
    wanted = [str(id_) for (id_,) in harbour.rows("SELECT id FROM event ORDER BY event_time, id")]
    _, text = owner.get(ANNS)
    assert len(text.encode()) < 50_000
    seen, part = events_on(text), older_on(text)
    assert len(seen) == PAGE
    _, page = owner.get(part)
    assert "Back to the newest events" in page
    assert events_on(page) == events_on(owner.get(part.replace("?", "/timeline?"))[1])
    while part:
        _, text = owner.get(part.replace("?", "/timeline?"))
        seen += events_on(text)
        part = older_on(text)
    assert seen == wanted[::-1]


@pytest.mark.parametrize("cursor", ["x", "%00", "e30", "WyIyMDI2LTAxLTAxIl0", "%F0%9F%92%A9"])
def test_a_cursor_of_nobody_is_no_page(harbour: Harbour, owner: Person, cursor: str) -> None:
    come(harbour)
    for address in (ANNS, f"{ANNS}/timeline"):
        assert owner.get(f"{address}?cursor={cursor}")[0] == 404


def test_identifiers_and_merges_are_shown(harbour: Harbour, owner: Person) -> None:
    come(harbour)
    merge(harbour, Identity(Keyspace.EMAIL, "ann@a.example"))
    _, text = owner.get(ANNS)
    assert "<code>ann@a.example</code>" in text
    assert "merged" in text
    assert "by the CRM" in text
    assert owner.get(f"{ROOT}/profiles/email/ANN@a.example")[0] == 200


@pytest.mark.parametrize(
    ("key", "keyspace"),
    [(ANN, "web"), ("ANN@a.example", "email"), ("+46 70 123 45 67", "mobile"), ("C-7", "crm-id")],
)
def test_a_search_finds_by_any_identifier_and_says_by_which(
    harbour: Harbour, owner: Person, key: str, keyspace: str
) -> None:
    come(harbour)
    for one, its in ((Keyspace.EMAIL, "ann@a.example"), (Keyspace.MOBILE, "46701234567")):
        merge(harbour, Identity(one, its))
    merge(harbour, Identity(Keyspace.CRM_ID, "C-7"))
    answer = owner.client.get(f"{ROOT}/profiles", params={"key": key})
    assert answer.url.path.startswith(f"{ROOT}/profiles/{keyspace}/")
    assert f"Found by its {keyspace} identifier." in answer.text
    asked = {"key": key, "keyspace": keyspace}
    assert "Found by" not in owner.client.get(f"{ROOT}/profiles", params=asked).text


def test_a_search_that_finds_several_asks_which(harbour: Harbour, owner: Person) -> None:
    come(harbour, "46701234567")
    come(harbour, BEN)
    vault, now, ben = Vault(harbour.settings), datetime.now(UTC), Identity(Keyspace.WEB, BEN)
    pair = (ben, Identity(Keyspace.MOBILE, "46701234567"))
    merging.merge(harbour.db, vault, harbour.booking.section_id, pair, "the CRM", now)
    _, text = owner.get(f"{ROOT}/profiles?key=46701234567")
    assert "Several profiles have this identifier: choose one." in text
    for keyspace in ("web", "mobile"):
        assert f'<a href="/sections/harbour/profiles/{keyspace}/46701234567">' in text


def test_a_search_that_finds_nobody_says_where_it_looked(owner: Person) -> None:
    _, text = owner.get(f"{ROOT}/profiles?key=nobody")
    assert (
        "No profile of this section has the identifier &#39;nobody&#39;, in any keyspace." in text
    )
    _, text = owner.get(f"{ROOT}/profiles?key=nobody&keyspace=email")
    assert "No profile of this section has the email identifier &#39;nobody&#39;." in text


def test_hostile_values_are_text(harbour: Harbour, owner: Person) -> None:
    values = {"reference": HOSTILE, "source": HOSTILE}
    claims = {HOSTILE: HOSTILE}
    page = f"https://a.example/{HOSTILE}"
    come(harbour, HOSTILE, data=values, page=page, claims=claims)
    harbour.db.execute("UPDATE definition SET name = %s", (HOSTILE,))
    harbour.db.execute("UPDATE event SET agent = %s", (HOSTILE,))
    status, found = owner.get(
        f"{ROOT}/profiles?keyspace=web&key=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    )
    assert status == 200
    assert found.count(ESCAPED) >= 5
    assert is_clean(found)
    assert is_clean(owner.get(f"{ROOT}/profiles")[1])


def test_an_export_is_made_and_downloaded(
    harbour: Harbour, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(harbour)
    come(harbour, BEN)
    job = posted(owner, f"{ANNS}/export")
    _, text = owner.get(job)
    assert "waiting" in text
    assert "Download" not in text
    assert "No jobs process is running" in text
    run_jobs(harbour, monkeypatch)
    _, text = owner.get(job)
    (address,) = re.findall(r'href="([^"]+)" download', text)
    answer = owner.client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"].startswith('attachment; filename="exp_')
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["type"] for line in lines] == ["profile", "identifier", "event"]
    assert BEN not in answer.text
    exports.end(harbour.db, address.rpartition("/")[2])
    assert owner.get(address)[0] == 404
    assert "gone" in owner.get(job)[1]


def test_so_many_exports_of_a_person_s_wait_and_no_more(
    harbour: Harbour, owner: Person, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(harbour)
    for _ in range(exporting.MOST_WAITING):
        posted(owner, f"{ANNS}/export")
    status, text = owner.post(f"{ANNS}/export")
    assert (status, "10 of your exports wait already" in text) == (429, True)
    assert len(exports.unfinished(harbour.db, datetime.now(UTC))) == exporting.MOST_WAITING
    posted(sign_in(Role.OWNER, "harbour", name="another owner"), f"{ANNS}/export")
    run_jobs(harbour, monkeypatch)
    posted(owner, f"{ANNS}/export")


def test_an_export_is_for_owners_of_its_section(
    harbour: Harbour, owner: Person, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(harbour)
    job = posted(owner, f"{ANNS}/export")
    run_jobs(harbour, monkeypatch)
    id_ = job.rpartition("/")[2].removeprefix("export-")
    editor, other = sign_in(Role.EDITOR, "harbour"), sign_in(Role.OWNER, "shop")
    assert "Download" not in editor.get(job)[1]
    assert editor.get(f"{ROOT}/exports/{id_}")[0] == 403
    assert other.get(f"/sections/shop/exports/{id_}")[0] == 404
    assert other.get(f"/sections/shop/jobs/export-{id_}")[0] == 404


def test_exports_of_api_clients_are_theirs_alone(harbour: Harbour, owner: Person) -> None:
    come(harbour)
    client = make_client(harbour, "CRM")
    section_id, ann = harbour.booking.section_id, Identity(Keyspace.WEB, ANN)
    now = datetime.now(UTC)
    asked = exporting.ask(harbour.db, harbour.redis, section_id, ann, now, client)
    assert asked is not None
    assert owner.get(f"{ROOT}/jobs/{asked.job.id}")[0] == 404
    assert owner.get(f"{ROOT}/exports/{asked.id}")[0] == 404


@pytest.mark.parametrize("typed", ["", "visitor-an", "VISITOR-ANN", BEN, HOSTILE])
def test_erasing_takes_the_key(harbour: Harbour, owner: Person, typed: str) -> None:
    come(harbour)
    status, text = owner.post(f"{ANNS}/erase", typed=typed)
    assert status == 422
    assert "This is not the key. Nothing was erased." in text
    assert '<details class="ask" open>' in text
    assert f'value="{typed}"' in text or is_clean(text)
    assert harbour.rows("SELECT * FROM erasure") == []


@pytest.mark.parametrize("key", ["ann ", " ann", "a  nn", "a\u00a0nn"])
def test_a_key_is_typed_as_it_is_seen(harbour: Harbour, owner: Person, key: str) -> None:
    come(harbour, key)
    seen = " ".join(key.split())
    posted(owner, f"{ROOT}/profiles/web/{quote(key)}/erase", typed=seen)


def test_an_erased_person_is_gone_from_the_log_too(
    harbour: Harbour, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(harbour)
    posted(owner, f"{ANNS}/export")
    job = posted(owner, f"{ANNS}/erase", typed=ANN)
    assert "waiting" in owner.get(job)[1]
    run_jobs(harbour, monkeypatch)
    _, text = owner.get(job)
    assert "erased with every trace" in text
    assert '<th scope="row">events</th><td class="number">1</td>' in text
    assert owner.get(ANNS)[0] == 404
    assert profiles.find(harbour.db, harbour.booking.section_id, "web", ANN) is None
    log = audit_log.newest(harbour.db, harbour.booking.section_id)
    assert [one.action for one in log] == ["erased a profile", "exported a profile"]
    assert ANN not in str(log) + text + owner.get(f"{ROOT}/settings")[1]
    harbour.redis.flushdb()  # what came of it is in the database
    assert "erased with every trace" in owner.get(job)[1]


def test_without_redis_it_is_written_down(
    harbour: Harbour, owner: Person, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(harbour)
    state = cast(Starlette, stranger.app).state
    there, state.redis = state.redis, Redis(port=1)
    status, text = owner.post(f"{ANNS}/erase", typed=ANN)
    state.redis = there
    assert (status, "It is written down" in text) == (200, True)
    enqueue_unfinished(harbour.db, harbour.redis)  # as a jobs process does when it starts
    run_jobs(harbour, monkeypatch)
    assert owner.get(ANNS)[0] == 404


def test_nobody_is_exported_or_erased_who_is_not_there(harbour: Harbour, owner: Person) -> None:
    for key in ("nobody", "x" * 300, "%00"):
        address = f"{ROOT}/profiles/web/{key}"
        assert owner.post(f"{address}/export")[0] == 404
        assert owner.post(f"{address}/erase", typed=key)[0] == 404
    assert audit_log.newest(harbour.db, harbour.booking.section_id) == []


def test_only_owners_see_export_and_erase(harbour: Harbour, sign_in: SignIn) -> None:
    come(harbour)
    _, text = sign_in(Role.EDITOR, "harbour").get(ANNS)
    assert "Export" not in text
    assert "Erase" not in text


def test_times_are_rewritten_on_every_page(owner: Person) -> None:
    for address in ("/", "/settings", ROOT, f"{ROOT}/profiles"):
        assert '<script src="/static/times.js" defer></script>' in owner.get(address)[1]
    for script in ("times", "progress", "timeline"):
        assert owner.get(f"/static/{script}.js")[0] == 200
