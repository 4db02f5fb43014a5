"""Every operation says no to whoever has no right to it: by token, scope, section and keyspace."""

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import MakeClient
from tests.api.examples import EXAMPLES, protected, url_of
from tracker.api.app import OPERATIONS
from tracker.api.openapi import problems_of
from tracker.api.operations import Operation
from tracker.rules.clients import Scope
from tracker.rules.keyspaces import Keyspace

pytestmark = pytest.mark.usefixtures("cast")


def ask(client: TestClient, operation: Operation, who: str = "", **changes: str) -> tuple[int, str]:
    """Send an operation's example as somebody; returns status and detail."""
    example = EXAMPLES[operation.name]
    answer = client.request(
        operation.method,
        url_of(operation, example, **changes),
        json=example.body,
        params=example.query,
        headers={"Authorization": who} if who else {},
    )
    assert answer.status_code in {*operation.answers, *problems_of(operation)}, "undocumented"
    return answer.status_code, answer.json().get("detail", "") if answer.content else ""


def among(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


def test_every_operation_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(operation.name for operation in OPERATIONS)


@among(list(OPERATIONS))
def test_with_all_rights(shop: TestClient, operation: Operation) -> None:
    assert ask(shop, operation)[0] == EXAMPLES[operation.name].status


@among(protected())
def test_without_a_token(shop: TestClient, operation: Operation) -> None:
    del shop.headers["Authorization"]
    assert ask(shop, operation)[0] == 401


@among([operation for operation in protected() if operation.scope])
def test_without_its_scope(shop: TestClient, make_client: MakeClient, operation: Operation) -> None:
    client = make_client(scopes=[scope for scope in Scope if scope is not operation.scope])
    status, detail = ask(shop, operation, client["Authorization"])
    assert status == 403
    assert f"no scope {operation.scope!s}" in detail.replace("'", "")


@among([operation for operation in protected() if operation.scope])
def test_its_scope_is_enough(
    shop: TestClient, make_client: MakeClient, operation: Operation
) -> None:
    assert operation.scope
    client = make_client(scopes=[operation.scope])
    assert ask(shop, operation, client["Authorization"])[0] == EXAMPLES[operation.name].status


@among([operation for operation in protected() if "section" in operation.parameters])
@pytest.mark.parametrize("other", ["hotel", "nowhere"])
def test_in_another_section(shop: TestClient, operation: Operation, other: str) -> None:
    status, detail = ask(shop, operation, section=other)
    assert status == 403
    assert "'shop' only" in detail


@among([operation for operation in protected() if "section" in operation.parameters])
def test_as_a_client_of_another_section(
    shop: TestClient, make_client: MakeClient, operation: Operation
) -> None:
    assert ask(shop, operation, make_client(section="hotel")["Authorization"])[0] == 403


@among([operation for operation in protected() if "keyspace" in operation.parameters])
@pytest.mark.parametrize("keyspace", ["email", "com.pintag.keyspaces.email"])
def test_without_its_keyspace(
    shop: TestClient, make_client: MakeClient, operation: Operation, keyspace: str
) -> None:
    client = make_client(keyspaces=[one for one in Keyspace if one is not Keyspace.EMAIL])
    ann = {"keyspace": keyspace, "key": "ann@example.com"}
    status, detail = ask(shop, operation, client["Authorization"], **ann)
    assert status == 403
    assert "may not address profiles by 'email'" in detail


@among([operation for operation in protected() if "keyspace" in operation.parameters])
@pytest.mark.parametrize(
    ("keyspace", "key", "status"), [("fax", "1", 404), ("email", "ann", 422), ("mobile", "1", 422)]
)
def test_keyspaces_and_keys_that_are_none(
    shop: TestClient, operation: Operation, keyspace: str, key: str, status: int
) -> None:
    if "key" in operation.parameters or status == 404:
        assert ask(shop, operation, keyspace=keyspace, key=key)[0] == status


def test_definitions_show_the_rights_of_seen_keyspaces_only(
    shop: TestClient, make_client: MakeClient
) -> None:
    client = make_client(keyspaces=[Keyspace.WEB])
    headers = {"Authorization": client["Authorization"]}
    event = shop.get("/audience/sections/shop/events/booking", headers=headers).json()
    assert event["keyspaces"] == {"com.pintag.keyspaces.web": {"read": True, "write": True}}
    [seen] = shop.get("/audience/keyspaces", headers=headers).json()["items"]
    assert seen["name"] == "web"
    assert seen["discriminator"] == "com.pintag.keyspaces.web"
