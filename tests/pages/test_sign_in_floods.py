"""Many sign in at once, with invented names maybe: everybody else goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.embedded.waiting import until
from tests.pages.conftest import PASSWORD, Person, SignIn
from tests.pages.test_sign_in import sign_in_as
from tracker import passwords
from tracker.pages.attempts import ATTEMPTS
from tracker.passwords import AT_ONCE, WAITING

SOON = 3.0


class Slow:
    """Hashing that takes until `go` is set; `begun` is how many have begun."""

    def __init__(self) -> None:
        self.go, self.begun = Event(), 0

    def verify(self, hashed: str, password: str) -> bool:
        self.begun += 1
        assert self.go.wait(30)
        return password == PASSWORD


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    passwords.is_password(None, "")  # nobody's hash is there from then on
    slow = Slow()
    monkeypatch.setattr(passwords, "_hasher", slow)
    yield slow
    slow.go.set()


def test_whoever_hashes_keeps_no_connection(owner: Person, slow: Slow) -> None:
    with ThreadPoolExecutor(AT_ONCE + WAITING) as aside:
        try:
            asked = [
                aside.submit(sign_in_as, owner.client, f"nobody {number}")
                for number in range(AT_ONCE + WAITING)
            ]
            until(lambda: slow.begun == AT_ONCE, "all turns are taken")
            pool = owner.client.app.state.pool  # type: ignore[attr-defined]
            until(lambda: pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"])
            assert owner.get("/")[0] == 200
        finally:
            slow.go.set()
        assert {one.result(30) for one in asked} == {403}


def test_beyond_that_one_is_told_to_come_again(stranger: TestClient, slow: Slow) -> None:
    most = AT_ONCE + WAITING
    with ThreadPoolExecutor(most + 1) as aside:
        try:
            asked = [
                aside.submit(sign_in_as, stranger, f"nobody {number}") for number in range(most + 1)
            ]
            done, _ = wait(asked, SOON, "FIRST_COMPLETED")
            assert [one.result() for one in done] == [503]
            for _ in range(ATTEMPTS + 1):  # none of which counts as one
                answer = stranger.post("/sign-in", data={"name": "Ann", "password": PASSWORD})
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "Too many ask for this at the moment" in answer.text
        finally:
            slow.go.set()
    assert sign_in_as(stranger, "Ann") == 403


def test_who_is_shut_out_meanwhile_stays_out(
    stranger: TestClient, sign_in: SignIn, slow: Slow, db: psycopg.Connection
) -> None:
    sign_in(name="Ann", password=True)
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(sign_in_as, stranger, "Ann")
        until(lambda: slow.begun)
        db.execute("UPDATE account SET disabled_at = now()")
        slow.go.set()
        assert asked.result(SOON) == 403
