"""The OpenAPI document is valid, served, and agrees with the declarations and with docs/api.md."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for
from starlette.testclient import TestClient

from tracker.api import openapi
from tracker.api.app import OPERATIONS
from tracker.api.openapi import problems_of
from tracker.rules.clients import Scope

DOCUMENT = openapi.document(OPERATIONS)
API = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def described() -> list[tuple[str, dict[str, Any]]]:
    """The document's operations, as `METHOD path`."""
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_served_to_everybody(anonymous: TestClient) -> None:
    answer = anonymous.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_operation_is_in_it_once() -> None:
    assert sorted(name for name, _ in described()) == sorted(one.name for one in OPERATIONS)
    ids = [operation["operationId"] for _, operation in described()]
    assert len(ids) == len(set(ids))


def test_references_lead_somewhere_and_schemas_are_valid() -> None:
    components = DOCUMENT["components"]["schemas"]
    names = re.findall(r"#/components/schemas/([^'\"]+)", str(DOCUMENT))
    assert set(names) <= set(components)
    for name in components:
        validator_for(
            {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_all_answers_are_told(operation: Any) -> None:
    answers = dict(described())[operation.name]["responses"]
    assert {int(status) for status in answers} == {*operation.answers, *problems_of(operation)}
    expected = {413, 429, 503} | (set() if operation.public else {401, 403})
    expected |= {404} if operation.parameters else set()
    expected |= {422} if "key" in operation.parameters else set()
    assert expected <= {int(status) for status in answers}


def test_the_docs_list_every_operation() -> None:
    rows = re.findall(r"^\| `([A-Z]+ /[^`?]*)[^`]*` \| .+ \|$", API, re.MULTILINE)
    expected = {operation.name for operation in OPERATIONS}
    assert sorted(rows) == sorted(expected | {"GET /health", "GET /openapi.json"})


def test_the_docs_list_every_scope() -> None:
    rows = re.findall(r"^\| `(\w+:\w+)` \| (.+) \|$", API, re.MULTILINE)
    assert rows == [(scope.value, scope.meaning) for scope in Scope]
    assert {operation.scope for operation in OPERATIONS} - {None} <= set(Scope)
