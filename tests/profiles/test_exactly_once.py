"""Exactly once: by an item's id, and by an Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.embedded.waiting import until
from tests.profiles.cast import ANN, BEN, NOW, Harbour, edit, new_id
from tracker.actions.posting import IdempotencyKey, ItemAnswer, KeyUsedError, TooEarlyError
from tracker.stores import database


@pytest.fixture
def key(harbour: Harbour) -> IdempotencyKey:
    """An Idempotency-Key of the first of two clients."""
    for name in ("one", "two"):
        harbour.db.execute(
            "INSERT INTO api_client (public_id, section_id, name, secret_hash, scopes, keyspaces,"
            " created_at) VALUES (%s, %s, %s, '', '{}', '{}', now())",
            (name, harbour.id, name),
        )
    return IdempotencyKey(1, "order-7")


def statuses(answers: list[ItemAnswer]) -> list[int]:
    return [answer.status for answer in answers]


def test_an_id_that_comes_again_is_a_duplicate(harbour: Harbour) -> None:
    item = harbour.item(id=new_id())
    assert statuses(harbour.post(ANN, item, item, harbour.item())) == [201, 200, 201]
    again = harbour.post(BEN, {**item, "data": {"reference": "another"}})
    assert statuses(again) == [200]
    assert str(again[0].id) == item["id"]
    assert harbour.balanced() == {"stored": 2}


def test_ids_of_two_sections_are_two(harbour: Harbour) -> None:
    item = harbour.item(id=new_id())
    harbour.post(ANN, item)
    harbour.db.execute("UPDATE event SET section_id = 77")
    assert statuses(harbour.post(ANN, item)) == [201]


def test_a_key_that_comes_again_gets_the_same_answer(harbour: Harbour, key: IdempotencyKey) -> None:
    post = harbour.item(), harbour.item(data={}), harbour.item(id=new_id())
    first = harbour.post(ANN, *post, key=key)
    assert statuses(first) == [201, 422, 201]
    assert harbour.post(ANN, *post, key=key) == first
    assert harbour.balanced() == {"stored": 2}


@pytest.mark.parametrize("change", ["items", "profile"])
def test_a_key_with_another_post_is_refused(
    harbour: Harbour, key: IdempotencyKey, change: str
) -> None:
    item = harbour.item()
    harbour.post(ANN, item, key=key)
    other = (ANN, item, item) if change == "items" else (BEN, item)
    with pytest.raises(KeyUsedError, match="new one"):
        harbour.post(*other, key=key)
    assert harbour.balanced() == {"stored": 1}


def test_clients_have_keys_of_their_own(harbour: Harbour, key: IdempotencyKey) -> None:
    item = harbour.item()
    harbour.post(ANN, item, key=key)
    assert statuses(harbour.post(ANN, item, key=IdempotencyKey(2, key.key))) == [201]
    assert harbour.balanced() == {"stored": 2}


def test_a_post_that_stored_nothing_leaves_its_key_free(
    harbour: Harbour, key: IdempotencyKey
) -> None:
    new = harbour.item(edit(harbour, NOW))
    with pytest.raises(TooEarlyError):
        harbour.post(ANN, new, key=key, now=NOW.replace(year=2025))
    assert statuses(harbour.post(ANN, new, key=key)) == [201]


def test_a_post_waits_for_the_one_with_its_key(harbour: Harbour, key: IdempotencyKey) -> None:
    """The first is held up in the middle of its transaction until the second waits for it."""
    item = harbour.item()

    def wait_for(waiting: int) -> None:
        ungranted = "SELECT FROM pg_locks WHERE NOT granted"
        until(lambda: len(harbour.rows(ungranted)) == waiting, f"{waiting} wait")

    with ThreadPoolExecutor() as threads, database.connect(harbour.settings.database_url) as other:
        with other.transaction():
            other.execute("LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")
            first = threads.submit(post_alone, harbour, item, key)
            wait_for(1)
            second = threads.submit(post_alone, harbour, item, key)
            wait_for(2)
        assert first.result() == second.result()
    assert harbour.balanced() == {"stored": 1}


@pytest.mark.parametrize("by", ["key", "id"])
def test_many_at_once(harbour: Harbour, key: IdempotencyKey, by: str) -> None:
    item = harbour.item(id=new_id() if by == "id" else None)
    with ThreadPoolExecutor(8) as threads:
        posts = [
            threads.submit(post_alone, harbour, item, key if by == "key" else None)
            for _ in range(24)
        ]
        answers = [post.result()[0] for post in posts]
    assert len({answer.id for answer in answers}) == 1
    expected = [201] * 24 if by == "key" else [200] * 23 + [201]
    assert sorted(statuses(answers)) == expected
    assert harbour.balanced() == {"stored": 1}


def post_alone(
    harbour: Harbour, item: dict[str, Any], key: IdempotencyKey | None
) -> list[ItemAnswer]:
    """Post on a connection of its own."""
    with database.connect(harbour.settings.database_url) as connection:
        return harbour.on(connection).post(ANN, item, key=key)
