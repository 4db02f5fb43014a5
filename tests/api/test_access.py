"""Who may call the API, and how it says no."""

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS, KEY


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer wrong", 401),
        (f"Basic {KEY}", 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY}", 200),
    ],
)
def test_bearer_keys(anonymous: TestClient, header: str | None, status: int) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = anonymous.get(EVENTS, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["title"] == "Unauthorized"
        assert answer.json()["detail"]


def test_a_key_opens_its_own_section_only(shop: TestClient) -> None:
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


def test_health(anonymous: TestClient) -> None:
    assert anonymous.get("/health").text == "ok"
