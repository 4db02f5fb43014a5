"""Schemathesis: whatever is sent, no operation fails, and no answer is undocumented."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import hypothesis
import psycopg
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from tests.api.conftest import MakeClient
from tests.api.examples import EXAMPLES, VALUES, Example
from tests.embedded.waiting import until
from tests.whole.installation import free_ports
from tracker.api import openapi
from tracker.api.admission import Limits
from tracker.api.app import OPERATIONS, make_app
from tracker.api.operations import Operation
from tracker.json_text import dumps
from tracker.settings import Settings

# The pool's own threads use `random` while strategies draw, and Hypothesis takes it for ours.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
NO_LIMITS = Limits(10**9, 10**9, 10**9)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def server(settings: Settings, anonymous: TestClient) -> Iterator[str]:
    """The web process under uvicorn, without limits; its address."""
    port = free_ports()
    config = uvicorn.Config(make_app(settings, NO_LIMITS), port=port, log_level="error")
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run)
    thread.start()
    until(lambda: web.started)
    yield f"http://127.0.0.1:{port}"
    web.should_exit = True
    thread.join(30)


@dataclass
class Fuzz:
    """Sends what Schemathesis makes of the document to the server, and checks each answer."""

    server: str
    headers: dict[str, str]
    schema: Any
    db: psycopg.Connection
    statuses: Counter[int] = field(default_factory=Counter)
    """Of the requests that fitted the document, how often each was answered."""

    def many(self, operation: Operation, mode: GenerationMode, examples: int) -> None:
        """Send so many requests that fit the document, or that don't."""
        cases = self.schema[operation.path][operation.method].as_strategy(generation_mode=mode)
        hypothesis.settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(given(aimed(cases, EXAMPLES[operation.name]))(self.one))()

    def one(self, case: Case[Any]) -> None:
        # What an earlier request did must not make all others run into it.
        self.db.execute("UPDATE definition SET hidden_at = NULL, locked_until = NULL")
        self.db.execute("DELETE FROM export")
        answer = case.call(self.server, headers=self.headers)
        case.validate_response(answer, checks=CHECKS)
        if case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            self.statuses[answer.status_code] += 1


@pytest.fixture
def fuzz(server: str, cast: None, make_client: MakeClient, db: psycopg.Connection) -> Fuzz:
    """A client that may do all."""
    schema = schemathesis.openapi.from_dict(json.loads(dumps(openapi.document(OPERATIONS))))
    schema.validate()
    return Fuzz(server, {"Authorization": make_client()["Authorization"]}, schema, db)


def aimed(cases: st.SearchStrategy[Case[Any]], example: Example) -> st.SearchStrategy[Case[Any]]:
    """Most requests name what there is in their path, and some have the example's parts too.

    Otherwise hardly any would get past the first checks.
    """
    return st.builds(partial(aim, example), cases, st.integers(0, 4))


def aim(example: Example, case: Case[Any], close: int) -> Case[Any]:
    values = {**VALUES, **example.path}
    if close >= 1:
        made_up = case.path_parameters or {}
        case.path_parameters = {name: values.get(name, made_up[name]) for name in made_up}
    if close >= 3:
        case.query = {**(case.query or {}), **example.query}
        if isinstance(example.body, dict) and isinstance(case.body, dict):
            case.body = {**case.body, **example.body}
    if close == 4 and example.body is not None:
        case.body = example.body
    return case


def check(fuzz: Fuzz, operation: Operation, examples: int) -> None:
    for mode in GenerationMode:
        fuzz.many(operation, mode, examples)
    assert 429 not in fuzz.statuses
    assert EXAMPLES[operation.name].status in fuzz.statuses, "none of the requests got through"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
@pytest.mark.slow
def test_a_few_requests(fuzz: Fuzz, operation: Operation) -> None:
    check(fuzz, operation, 10)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_many_requests(fuzz: Fuzz, operation: Operation) -> None:
    check(fuzz, operation, 200)
