"""Erasures and exports by API: asked for, polled, fetched, and gone."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import MakeClient, anonymous, make_client
from tests.embedded.waiting import until
from tests.jobs.people import ANN_MAIL, ann_comes, ben_lives_here
from tests.worker.cast import Harbour
from tests.worker.processes import process
from tracker.rules.keyspaces import Keyspace
from tracker.rules.states import ERASED

__all__ = ["anonymous", "make_client"]

ANN = "/audience/keyspaces/com.pintag.keyspaces.email/profiles/ANN@example.com"
BEN = "/audience/keyspaces/web/profiles/ben"


@pytest.fixture
def crm(harbour: Harbour, anonymous: TestClient, make_client: MakeClient) -> Iterator[TestClient]:
    """A client of the section with Ann and Ben; a process runs jobs."""
    ben_lives_here(harbour)
    ann_comes(harbour)
    anonymous.headers["Authorization"] = make_client("harbour")["Authorization"]
    with process(harbour, "worker.jobs"):
        yield anonymous


def ready(client: TestClient, id_: str) -> None:
    def is_ready() -> bool:
        answer = client.get(f"/audience/exports/{id_}")
        if answer.status_code == 404:
            assert answer.headers["Retry-After"] == "2"
        return answer.status_code == 200

    until(is_ready, "it is ready")


def export(client: TestClient, path: str = ANN) -> str:
    answer = client.post(f"{path}/exports")
    assert answer.status_code == 202
    return str(answer.json()["id"])


def test_an_erasure(harbour: Harbour, crm: TestClient) -> None:
    exported = export(crm)
    ready(crm, exported)
    answer = crm.delete(ANN)
    assert answer.status_code == 202
    asked = answer.json()
    assert asked["state"] in ("waiting", "running", "finished")
    path = f"/audience/erasures/{asked['id']}"
    until(lambda: crm.get(path).json()["state"] == "finished", "it is finished")
    told = crm.get(path).json()
    assert told["erased"]["events"] == 12
    assert told["finished_at"] >= told["asked_at"]
    assert "ann" not in json.dumps(told)
    assert crm.delete(ANN).status_code == 404
    assert crm.get(f"{ANN}/sections/harbour/events").status_code == 404
    assert crm.post(f"{ANN}/exports").status_code == 404
    assert crm.get(f"/audience/exports/{exported}").status_code == 410
    assert harbour.balanced()[ERASED] == 18


def test_only_the_section_sees_its_erasures(crm: TestClient, make_client: MakeClient) -> None:
    asked = crm.delete(BEN).json()
    other = {"Authorization": make_client("hotel")["Authorization"]}
    assert crm.get(f"/audience/erasures/{asked['id']}", headers=other).status_code == 404


def test_an_export(harbour: Harbour, crm: TestClient) -> None:
    id_ = export(crm)
    ready(crm, id_)
    answer = crm.get(f"/audience/exports/{id_}")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["type"] for line in lines] == [
        "profile",
        *["identifier"] * 3,
        *["event"] * 12,
        *["merge"] * 2,
    ]
    harbour.db.execute("UPDATE export SET expires_at = now() WHERE id = %s", (id_,))
    answer = crm.get(f"/audience/exports/{id_}")
    assert answer.status_code == 410
    assert "ask for a new one" in answer.json()["detail"]


def test_only_the_client_that_asked_fetches_it(crm: TestClient, make_client: MakeClient) -> None:
    id_ = export(crm)
    ready(crm, id_)
    other = {"Authorization": make_client("harbour")["Authorization"]}
    answer = crm.get(f"/audience/exports/{id_}", headers=other)
    assert answer.status_code == 404
    assert "no export" in answer.json()["detail"]


def test_no_identifier_of_another_keyspace(
    harbour: Harbour, crm: TestClient, make_client: MakeClient
) -> None:
    crm.headers["Authorization"] = make_client("harbour", keyspaces=[Keyspace.WEB])["Authorization"]
    id_ = export(crm, "/audience/keyspaces/web/profiles/ann's phone")
    ready(crm, id_)
    text = crm.get(f"/audience/exports/{id_}").text
    assert ANN_MAIL.key not in text
    assert "ann's laptop" in text
