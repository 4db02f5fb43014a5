"""How often clients may ask: 429 with the time to wait, each by itself."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Made, MakeClient
from tests.api.test_tokens import ask
from tracker.api.admission import Limits
from tracker.api.app import make_app
from tracker.settings import Settings

KEYSPACES = "/audience/keyspaces"
PROFILE = "/audience/keyspaces/{}/profiles/{}/sections/shop/events"
Get = Callable[..., int]


@pytest.fixture
def busy(settings: Settings, anonymous: TestClient) -> Iterator[TestClient]:
    """The same installation by a process that lets little through."""
    limits = Limits(client_per_second=3, key_per_second=2, tokens_per_minute=2)
    with TestClient(make_app(settings, limits), base_url="http://127.0.0.1") as client:
        yield client


def get(client: TestClient, who: Made, path: str, times: int) -> list[int]:
    headers = {"Authorization": who["Authorization"]}
    return [client.get(path, headers=headers).status_code for _ in range(times)]


def test_each_client_has_a_limit_of_its_own(busy: TestClient, make_client: MakeClient) -> None:
    crm, shop = make_client(), make_client()
    assert get(busy, crm, KEYSPACES, 4) == [200, 200, 200, 429]
    assert get(busy, shop, KEYSPACES, 1) == [200]
    answer = busy.get(KEYSPACES, headers={"Authorization": crm["Authorization"]})
    assert answer.headers["Retry-After"] == "1"
    assert "this client" in answer.json()["detail"]


def test_each_profile_key_has_a_limit_of_its_own(busy: TestClient, make_client: MakeClient) -> None:
    ann = PROFILE.format("email", "ann@example.com")
    again = PROFILE.format("com.pintag.keyspaces.email", "ANN@example.com")
    assert get(busy, make_client(), ann, 2) == [404, 404]
    assert get(busy, make_client(), again, 1) == [429]
    assert get(busy, make_client(), PROFILE.format("web", "ann@example.com"), 1) == [404]


def test_a_key_in_a_body_counts_as_well(busy: TestClient, make_client: MakeClient) -> None:
    ann = {"keyspace_discriminator": "email", "profile_key": "Ann@example.com"}
    headers = [{"Authorization": make_client()["Authorization"]} for _ in range(3)]
    statuses = [
        busy.post("/audience/profiles/unmerges", json=ann, headers=who).status_code
        for who in headers
    ]
    assert statuses == [404, 404, 429]


def test_tokens_are_counted_by_client(busy: TestClient, make_client: MakeClient) -> None:
    crm, shop = make_client(), make_client()
    answers = [ask(busy, crm) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert ask(busy, shop).status_code == 200


def test_made_up_clients_are_counted_by_address(busy: TestClient, make_client: MakeClient) -> None:
    made_up = [ask(busy, make_client(), client_id=f"client_{n}").status_code for n in range(3)]
    assert made_up == [401, 401, 429]


def test_who_does_not_know_the_secret_does_not_keep_the_client_out(
    busy: TestClient, make_client: MakeClient
) -> None:
    crm = make_client()
    wrong = [ask(busy, crm, client_secret="wrong").status_code for _ in range(3)]
    assert wrong == [401, 401, 429]
    assert ask(busy, crm).status_code == 200


def test_the_limits_that_are_promised() -> None:
    assert Limits() == Limits(client_per_second=100, key_per_second=10, tokens_per_minute=10)


def test_a_database_that_is_away_is_worth_another_try(
    shop: TestClient, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("ALTER TABLE api_client RENAME TO elsewhere")
    db.execute("CREATE VIEW api_client AS SELECT *, pg_terminate_backend(pg_backend_pid())"
               " FROM elsewhere")  # fmt: skip
    answer = shop.get(KEYSPACES)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
