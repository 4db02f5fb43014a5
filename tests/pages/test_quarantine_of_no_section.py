"""Hits of no section: for people with a role in all of them."""

import psycopg
import pytest
from redis import Redis

from tests.pages.conftest import Person, SignIn
from tests.pages.kept import ROOT, choice, posted, run_jobs
from tests.worker.cast import Harbour, drain, hit, track
from tracker.actions import quarantining
from tracker.rules.accounts import Role
from tracker.settings import Settings
from tracker.stores import audit_log, jobs


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour with a rejected booking, and two hits of a snippet that nobody knows."""
    booking, key = track(db, redis, "harbour")
    harbour = Harbour(settings, db, redis, booking, key)
    harbour.send(hit(), hit(data={}), key="lost-key")
    harbour.send(hit(data={}))
    drain(harbour)
    return harbour


@pytest.fixture
def editor(harbour: Harbour, sign_in: SignIn) -> Person:
    return sign_in(Role.EDITOR, None)


def test_they_are_shown_and_nobody_else_s(harbour: Harbour, editor: Person) -> None:
    status, text = editor.get("/quarantine")
    assert status == 200
    assert "of no section, 2 hits" in text
    assert text.count('class="group"') == 1
    assert "unknown_snippet" in text
    assert 'href="/quarantine/1"' in text
    status, text = editor.get("/quarantine/1")
    assert status == 200
    assert "<code>lost-key</code>, not known" in text
    assert 'name="version"' not in text
    assert editor.get("/quarantine/3")[0] == 404
    assert editor.get(f"{ROOT}/quarantine/1")[0] == 404
    assert "/quarantine" in editor.get("/settings")[1]


def test_a_replay_finds_their_section_once_the_snippet_is_known(
    harbour: Harbour, editor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = editor.get("/quarantine")
    harbour.db.execute(
        "INSERT INTO snippet (key, version_id, created_at, retires_at)"
        " SELECT 'lost-key', version_id, created_at, now() FROM snippet"
    )
    replay = posted(editor, "/quarantine/replay", **choice(text))
    assert replay.startswith("/jobs/")
    run_jobs(harbour, monkeypatch)
    _, text = editor.get(replay)
    assert '<th scope="row">stored</th><td class="number">1</td>' in text
    assert '<a href="/quarantine">' in text
    assert "Nothing is in quarantine" in editor.get("/quarantine")[1]
    assert len(quarantining.overview(harbour.db, harbour.booking.section_id).groups[0].hits) == 2
    assert harbour.balanced() == {"stored": 1, "quarantined": 2}
    (noted,) = audit_log.newest(harbour.db, None)
    assert (noted.action, noted.subject) == ("replayed quarantined hits", "2 hits")


def test_they_can_be_discarded(harbour: Harbour, editor: Person) -> None:
    _, text = editor.get("/quarantine")
    status, text = editor.post("/quarantine/discard", sure="yes", **choice(text))
    assert (status, "2 hits discarded, for good." in text) == (200, True)
    assert harbour.balanced() == {"quarantined": 1, "discarded": 2}


def test_jobs_of_sections_and_commands_are_not_followed_there(
    harbour: Harbour, editor: Person
) -> None:
    of_section = posted(editor, f"{ROOT}/quarantine/replay", hit="3").rpartition("/")[2]
    by_command = jobs.enqueue(harbour.redis, jobs.REPLAY, [1], False).id
    for id_ in (of_section, by_command):
        assert editor.get(f"/jobs/{id_}")[0] == 404


def test_a_viewer_of_all_sections_sees_and_can_do_nothing(
    harbour: Harbour, sign_in: SignIn
) -> None:
    viewer = sign_in(Role.VIEWER, None)
    _, text = viewer.get("/quarantine")
    assert ("2 hits" in text, "Discard" in text, "Replay" in text) == (True, False, False)
    assert viewer.post("/quarantine/replay", hit="1")[0] == 403


def test_an_owner_of_a_section_is_turned_away(harbour: Harbour, sign_in: SignIn) -> None:
    owner = sign_in(Role.OWNER, "harbour")
    assert owner.get("/quarantine")[0] == 403
    assert '"/quarantine"' not in owner.get("/settings")[1]
