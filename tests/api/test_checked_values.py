"""A check shows values of events only to clients that could read those events on a timeline."""

from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS, MakeClient
from tests.api.test_events import create
from tracker.rules.keyspaces import Keyspace

ANN = f"/audience/keyspaces/crm-id/profiles/ann{EVENTS.removeprefix('/audience')}"
FIELDS = [
    {"key": "source", "type": "text", "required": True},
    {"key": "reference", "type": "integer"},
    {"key": "amount", "type": "decimal"},
]


@pytest.mark.parametrize(
    ("keyspaces", "denied", "shown"),
    [
        ([Keyspace.EMAIL], [], True),
        ([Keyspace.EMAIL], ["email:read"], False),
        ([Keyspace.EMAIL], ["crm-id:read", "email:write"], True),
        ([Keyspace.EMAIL, Keyspace.CRM_ID], ["email:read"], True),
        ([Keyspace.EMAIL, Keyspace.CRM_ID], ["email:read", "crm-id:read"], False),
        ([], [], False),
    ],
)
def test_values_are_for_those_who_may_read_the_events(
    shop: TestClient,
    make_client: MakeClient,
    keyspaces: list[Keyspace],
    denied: list[str],
    shown: bool,
) -> None:
    version = create(shop)["versions"][0]["id"]
    item = {
        "event_time": datetime.now(UTC).isoformat(),
        "version_id": version,
        "data": {"reference": "Secret"},
    }
    assert shop.post(ANN, json={"items": [item]}).status_code == 201
    shop.put(f"{EVENTS}/booking/allowed-operations", json={"deny": denied})
    headers = {"Authorization": make_client(keyspaces=keyspaces)["Authorization"]}
    fields = {"fields": FIELDS}
    checked = shop.post(f"{EVENTS}/booking/check", json=fields, headers=headers).json()
    assert checked["rejected"] == 1
    [complaint] = checked["complaints"]
    assert [one["value"] for one in complaint["examples"]] == ['"Secret"' if shown else None]
