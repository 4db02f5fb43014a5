"""The quarantine's pages: groups, hits whole, replays as jobs, discarding; of one section only."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from redis import Redis

from tests.pages.conftest import Person, SignIn
from tests.pages.kept import (
    HOSTILE,
    ROOT,
    choice,
    is_clean,
    jobs_process,
    posted,
    run_jobs,
)
from tests.worker.cast import BEN, Harbour, drain, edited, hit, track
from tracker.actions import auditing, quarantining
from tracker.rules.accounts import Role
from tracker.rules.fields import FieldType
from tracker.settings import Settings
from tracker.stores import audit_log, jobs, quarantine

PAGE = "https://harbour.example/book"
LIST = f"{ROOT}/quarantine"


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


@pytest.fixture
def editor(harbour: Harbour, sign_in: SignIn) -> Person:
    return sign_in(Role.EDITOR, "harbour")


def reject(harbour: Harbour, *amounts: str, page: str = PAGE) -> list[int]:
    """Hits with amounts that are no numbers, in quarantine; returns their ids there."""
    data = ({"reference": "B-1", "amount": amount} for amount in amounts)
    harbour.send(*(hit(page=f"{page}?visit={n}", data=one) for n, one in enumerate(data)))
    drain(harbour)
    return quarantine.matching(harbour.db, [], None)


def mend(harbour: Harbour) -> None:
    """Make all hits in quarantine good, as a mended bug of ours would."""
    good = json.dumps(hit(BEN))
    harbour.db.execute(
        "UPDATE quarantine SET raw = convert_to(jsonb_set(%s::jsonb, '{id}',"
        " to_jsonb(hit_id::text))::text, 'UTF8')",
        (good,),
    )


def test_hits_are_grouped_by_reason_event_fields_and_page(harbour: Harbour, editor: Person) -> None:
    reject(harbour, "a lot", "much", "more", "most")
    harbour.send(hit(data={"amount": "x"}), hit(data={"amount": "x", "reference": "1"}), b"?")
    drain(harbour)
    found = quarantining.overview(harbour.db, harbour.booking.section_id)
    assert [(g.reason, g.fields, g.page, len(g.hits)) for g in found.groups] == [
        ("invalid_data", ("amount",), PAGE, 4),
        ("malformed", ("",), "", 1),
        ("invalid_data", ("amount",), "", 1),
        ("invalid_data", ("amount", "reference"), "", 1),
    ]
    assert (found.seen, found.total, found.more) == (7, 7, 0)
    status, text = editor.get(LIST)
    assert status == 200
    for expected in ("4 hits", "Booking", "version 1", PAGE, "<code>amount</code>", "1 hit<"):
        assert expected in text
    assert text.count('<a href="/sections/harbour/events/booking">Booking</a>') == 4
    assert text.count('/quarantine/1"') == 0  # three examples of the four, the newest
    assert "visit=" not in text


def test_what_is_shown_is_bounded(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.send(*(hit(page=f"https://a.example/{n}", data={}) for n in range(8)))
    drain(harbour)
    monkeypatch.setattr(quarantining, "WINDOW", 6)
    monkeypatch.setattr(quarantining, "MOST_GROUPS", 4)
    _, text = editor.get(LIST)
    assert "The newest 6 hits are grouped here" in text
    assert "2 smaller groups are not shown" in text
    assert text.count('class="group"') == 4


def test_an_empty_quarantine_says_so(editor: Person) -> None:
    assert "Nothing is in quarantine" in editor.get(LIST)[1]


def test_a_hit_is_shown_whole_with_each_error_beside_its_field(
    harbour: Harbour, editor: Person
) -> None:
    harbour.send(hit(page=PAGE, data={"amount": HOSTILE, HOSTILE: "1", "nights": 2}))
    drain(harbour)
    ((id_, errors),) = harbour.rows("SELECT id, errors FROM quarantine")
    status, text = editor.get(f"{LIST}/{id_}")
    assert status == 200
    assert is_clean(text)
    assert '<a href="/sections/harbour/events/booking">Booking</a>' in text
    rows = text.split("<tr")
    assert len(errors) == 3
    for error in errors:
        name = error["field"].replace('"', "&#34;").replace(">", "&gt;").replace("<", "&lt;")
        (row,) = [one for one in rows if f"<code>{name}</code></th>" in one]
        assert 'class="bad"' in row
    assert "<code>nights</code></th>\n  <td><code>2</code></td>\n  <td></td>" in text
    assert is_clean(editor.get(LIST)[1])


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\x00<script>",
        b'{"data": {"a": "\\ud800"}, "page": "http://[<script>"}',
        b"[" * 5_000,
        b'{"page": "https://a.example/\\u0000\\ud800", "data": 1}',
        ("{" + '"x":' * 3 + "\u202e}").encode(),
        json.dumps(hit(page=f"https://{HOSTILE}/", data={"x" * 9_000: "y" * 9_000})).encode(),
    ],
)
def test_whatever_came_is_shown_as_text(harbour: Harbour, editor: Person, raw: bytes) -> None:
    harbour.send(raw)
    drain(harbour)
    ((id_,),) = harbour.rows("SELECT id FROM quarantine")
    for address in (LIST, f"{LIST}/{id_}"):
        status, text = editor.get(address)
        assert status == 200
        assert "<script>" not in text


@pytest.mark.parametrize("end", ["}", ""])
def test_signatures_are_kept_from_who_looks(harbour: Harbour, editor: Person, end: str) -> None:
    signature = "0123456789abcdef" * 4
    claims = {"email": {"key": "ann@x.example", "expires": 4e9, "signature": signature}}
    harbour.send(json.dumps(hit(claims=claims, data={})).removesuffix("}").encode() + end.encode())
    drain(harbour)
    ((id_,),) = harbour.rows("SELECT id FROM quarantine")
    _, text = editor.get(f"{LIST}/{id_}")
    assert "ann@x.example" in text
    assert signature not in text


def test_a_hostile_name_agent_and_page_are_text(harbour: Harbour, editor: Person) -> None:
    reject(harbour, HOSTILE, page=f"https://a.example/{HOSTILE}")
    harbour.db.execute("UPDATE definition SET name = %s", (HOSTILE,))
    harbour.db.execute("UPDATE quarantine SET agent = %s, address = %s", (HOSTILE, HOSTILE))
    for address in (LIST, f"{LIST}/1"):
        assert is_clean(editor.get(address)[1])


def test_a_dry_run_then_the_replay(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    reject(harbour, "a lot", "much")
    mend(harbour)
    _, text = editor.get(LIST)
    trial = posted(editor, f"{LIST}/replay", dry_run="yes", **choice(text))
    assert "No jobs process is running" in editor.get(trial)[1]
    with jobs_process(harbour):
        _, text = editor.get(trial)
        assert "No jobs process" not in text
        assert 'http-equiv="refresh"' in text
        assert "progress.js" in text
    run_jobs(harbour, monkeypatch)
    _, text = editor.get(trial)
    assert "Nothing was changed" in text
    assert '<th scope="row">stored</th><td class="number">2</td>' in text
    assert "refresh" not in text
    assert harbour.references() == []
    replay = posted(editor, f"{LIST}/replay", **choice(text))
    run_jobs(harbour, monkeypatch)
    _, text = editor.get(replay)
    assert '<th scope="row">stored</th><td class="number">2</td>' in text
    assert "Replay these" not in text
    assert harbour.references() == ["B-1", "B-1"]
    assert "Nothing is in quarantine" in editor.get(LIST)[1]
    actions = [one.action for one in audit_log.newest(harbour.db, harbour.booking.section_id)]
    assert actions == ["replayed quarantined hits", "tried a replay of quarantined hits"]
    assert auditing.audit(harbour.db, harbour.redis).problems == []


def test_a_replay_says_what_stays(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,) = reject(harbour, "a lot")
    replay = posted(editor, f"{LIST}/replay", hit=str(id_))
    run_jobs(harbour, monkeypatch)
    assert "quarantined (invalid_data)" in editor.get(replay)[1]
    assert editor.get(f"{LIST}/{id_}")[0] == 200


def test_a_group_is_replayed_as_it_was_shown(harbour: Harbour, editor: Person) -> None:
    first = reject(harbour, "a lot", "much")
    _, text = editor.get(LIST)
    reject(harbour, "more")
    replay = posted(editor, f"{LIST}/replay", **choice(text))
    found = jobs.find(harbour.redis, replay.rpartition("/")[2])
    assert found is not None
    assert found.arguments == (first, False, None)


def test_a_trial_against_a_later_version_and_then_the_replay_against_it(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    reject(harbour, "a lot", "much")
    assert 'name="version"' not in editor.get(LIST)[1]
    edited(harbour, datetime.now(UTC), amount=FieldType.TEXT)
    _, text = editor.get(LIST)
    assert '<option value="">their own version, 1</option><option value="2">' in text
    assert '<option value="">its own version, 1</option>' in editor.get(f"{LIST}/1")[1]
    trial = posted(editor, f"{LIST}/replay", dry_run="yes", version="2", **choice(text))
    assert "of 2 hits against version 2" in editor.get(trial)[1]
    run_jobs(harbour, monkeypatch)
    _, text = editor.get(trial)
    assert "Replay these 2 hits against version 2" in text
    assert '<th scope="row">stored</th><td class="number">2</td>' in text
    replay = posted(editor, f"{LIST}/replay", **choice(text))
    run_jobs(harbour, monkeypatch)
    assert "Replay <small>of 2 hits against version 2" in editor.get(replay)[1]
    stored = "SELECT v.number FROM event e JOIN version v ON v.id = e.version_id"
    assert harbour.rows(stored) == [(2,), (2,)]
    newest, _ = audit_log.newest(harbour.db, harbour.booking.section_id)
    assert newest.subject == "2 hits against version 2"


def test_a_version_that_can_t_be_used_yet_or_is_none_is_refused(
    harbour: Harbour, editor: Person
) -> None:
    reject(harbour, "a lot")
    edited(harbour, datetime.now(UTC) + timedelta(minutes=30), amount=FieldType.TEXT)
    _, text = editor.get(LIST)
    assert 'name="version"' not in text
    for version, why in (("2", "Version 2 can be used at"), ("x", "has no version 0")):
        status, refused = editor.post(f"{LIST}/replay", version=version, **choice(text))
        assert (status, "Nothing was replayed. " in refused, why in refused) == (422, True, True)
    assert not any(job.name == "replay" for job in jobs.current(harbour.redis))


def test_hits_that_stayed_say_which_version_sent_them(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.send(hit(data={}))
    drain(harbour)
    edited(harbour, datetime.now(UTC), amount=FieldType.TEXT)
    posted(editor, f"{LIST}/replay", hit="1", version="2")
    run_jobs(harbour, monkeypatch)
    _, text = editor.get(LIST)
    assert "version 2, sent as 1" in text
    assert '<option value="">their own version, 1</option>' not in text  # one hit
    assert '<option value="">its own version, 1</option><option value="2">' in text


def test_discarding_asks_first_and_balances(harbour: Harbour, editor: Person) -> None:
    reject(harbour, "a lot", "much")
    _, text = editor.get(LIST)
    assert "Delete 2 hits for good?" in text
    status, unsure = editor.post(f"{LIST}/discard", **choice(text))
    assert (status, "say that you are sure" in unsure) == (422, True)
    assert len(harbour.quarantined()) == 2
    status, text = editor.post(f"{LIST}/discard", sure="yes", **choice(text))
    assert (status, "2 hits discarded, for good." in text) == (200, True)
    assert harbour.balanced() == {"discarded": 2}
    (entry,) = audit_log.newest(harbour.db, harbour.booking.section_id)
    assert (entry.action, entry.subject) == ("discarded quarantined hits", "2 hits")


@pytest.mark.parametrize("what", ["replay", "discard"])
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"hit": "99"},
        {"hit": "-1"},
        {"hit": "9" * 19},
        {"hit": "9" * 400},
        {"hit": "٣"},
        {"group": "x"},
        {"group": "\0", "up_to": "x"},
        {"job": "none"},
        {"job": "../a:b\0 *"},
        {"job": "erasure-\0"},
    ],
)
def test_what_is_not_there_is_said(
    harbour: Harbour, editor: Person, what: str, form: dict[str, str]
) -> None:
    reject(harbour, "a lot")
    status, text = editor.post(f"{LIST}/{what}", sure="yes", **form)
    assert (status, "not in quarantine any more" in text) == (422, True)
    assert len(harbour.quarantined()) == 1


@pytest.mark.parametrize("id_", ["99", "x", "0", "9" * 19, "9" * 40, "%00", "1%2F2", "-1"])
def test_no_such_hit_or_job(editor: Person, id_: str) -> None:
    assert editor.get(f"{LIST}/{id_}")[0] == 404
    assert editor.get(f"{ROOT}/jobs/{id_}")[0] == 404


def test_hits_and_jobs_of_other_sections_are_out_of_reach(
    harbour: Harbour, editor: Person, sign_in: SignIn
) -> None:
    (id_,) = reject(harbour, "a lot")
    job = posted(editor, f"{LIST}/replay", hit=str(id_), dry_run="yes").rpartition("/")[2]
    other = sign_in(Role.OWNER, "shop")
    shop = "/sections/shop"
    assert other.get(f"{shop}/quarantine/{id_}")[0] == 404
    assert other.get(f"{shop}/jobs/{job}")[0] == 404
    assert "Nothing is in quarantine" in other.get(f"{shop}/quarantine")[1]
    group = quarantining.overview(harbour.db, harbour.booking.section_id).groups[0].id
    for form in ({"hit": str(id_)}, {"group": group, "up_to": "9"}, {"job": job}):
        for what in ("replay", "discard"):
            assert other.post(f"{shop}/quarantine/{what}", sure="yes", **form)[0] == 422
    assert len(harbour.quarantined()) == 1


def test_a_viewer_sees_and_can_do_nothing(harbour: Harbour, sign_in: SignIn) -> None:
    (id_,) = reject(harbour, "a lot")
    viewer = sign_in(Role.VIEWER, "harbour")
    for address in (LIST, f"{LIST}/{id_}"):
        status, text = viewer.get(address)
        assert (status, "Discard" in text, "Replay" in text) == (200, False, False)


def test_the_page_is_small(harbour: Harbour, editor: Person) -> None:
    harbour.send(*(hit(page=f"https://a.example/{n}", data={}) for n in range(30)))
    drain(harbour)
    assert len(editor.client.get(LIST).content) < 50_000
