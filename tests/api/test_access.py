"""Who may call the API, and how it says no."""

import dataclasses

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS, MakeClient
from tracker.api.app import make_app
from tracker.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer wrong", 401),
        ("Basic {token}", 401),
        ("Bearer {token}x", 401),
        ("Bearer {token}", 200),
        ("bearer  {token}", 200),
    ],
)
def test_bearer_tokens(
    anonymous: TestClient, make_client: MakeClient, header: str | None, status: int
) -> None:
    _, token = make_client()["Authorization"].split()
    headers = {} if header is None else {"Authorization": header.format(token=token)}
    answer = anonymous.get(EVENTS, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["title"] == "Unauthorized"
        assert "POST /oauth/token" in answer.json()["detail"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_client_opens_its_own_section_only(shop: TestClient) -> None:
    answer = shop.get("/audience/sections/hotel/events")
    assert answer.status_code == 403
    assert "'shop' only" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", EVENTS, 405)]
)
def test_unknown_paths_and_methods(shop: TestClient, method: str, path: str, status: int) -> None:
    answer = shop.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_other_host_names_are_refused(shop: TestClient) -> None:
    assert shop.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost", "LOCALHOST:80", "[::1]:8700"])
def test_the_names_of_this_machine_are_let_in(anonymous: TestClient, host: str) -> None:
    assert anonymous.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("name", ["pintag.example", "[2001:db8::1]"])
def test_a_web_server_before_us_may_pass_its_name_on(settings: Settings, name: str) -> None:
    app = make_app(dataclasses.replace(settings, web_url=f"https://{name}:8443"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        names = (f"{name}:8443", name, "127.0.0.1:8700", "evil.example")
        answers = [client.get("/health", headers={"Host": name}).status_code for name in names]
    assert answers == [200, 200, 200, 400]


@pytest.mark.parametrize(("host", "status"), [("::1", 400), ("::", 200)])
def test_beyond_loopback_every_name_is_let_in_and_asked_to_sign_in(
    settings: Settings, host: str, status: int
) -> None:
    app = make_app(dataclasses.replace(settings, web_host=host))
    with TestClient(app, base_url="http://pintag.example") as client:
        answer = client.get("/")
    assert answer.status_code == status
    assert status == 400 or answer.url.path == "/sign-in"


def test_health(anonymous: TestClient) -> None:
    answer = anonymous.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize(
    ("away", "says"),
    [
        ({"database_url": "postgresql://127.0.0.1:1/x"}, "away: PostgreSQL"),
        ({"redis_url": "redis://127.0.0.1:1"}, "away: Redis"),
    ],
)
def test_health_names_a_server_that_is_away(
    settings: Settings, away: dict[str, str], says: str
) -> None:
    app = make_app(dataclasses.replace(settings, **away))  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get("/health")
    assert (answer.status_code, answer.text) == (200, says)


def test_without_a_secret_key_the_web_process_does_not_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="PINTAG_SECRET_KEY must be set"):
        make_app(dataclasses.replace(settings, secret_key=""))
