"""`POST /oauth/token`: a token for a secret, as JSON, as a form or as OAuth clients' Basic."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import psycopg
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS, Made, MakeClient
from tracker.api import tokens
from tracker.settings import Settings
from tracker.stores import clients
from tracker.vault import Vault

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def crm(make_client: MakeClient) -> Made:
    return make_client()


def ask(client: TestClient, crm: Made, **changes: object) -> Response:
    wanted = {
        "grant_type": "client_credentials",
        "client_id": crm["client_id"],
        "client_secret": crm["client_secret"],
        **changes,
    }
    return client.post("/oauth/token", json=wanted)


def test_a_token_is_good_for_a_day(anonymous: TestClient, crm: Made) -> None:
    before = datetime.now(UTC).timestamp()
    answer = ask(anonymous, crm)
    token = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert token["token_type"] == "bearer"
    assert before + 86_399 <= token["exp"] + 1 <= before + 86_500
    assert 86_390 <= token["expires_in"] <= 86_400
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert anonymous.get(EVENTS, headers=headers).status_code == 200


def test_as_a_form(anonymous: TestClient, crm: Made) -> None:
    body = f"grant_type=client_credentials&client_id={crm['client_id']}"
    secret = f"&client_secret={crm['client_secret']}"
    answer = anonymous.post("/oauth/token", content=body + secret, headers=FORM)
    assert answer.status_code == 200


def test_as_basic_authorization(anonymous: TestClient, crm: Made) -> None:
    basic = crm["client_id"], crm["client_secret"]
    body = {"grant_type": "client_credentials"}
    assert anonymous.post("/oauth/token", data=body, auth=basic).status_code == 200
    assert anonymous.post("/oauth/token", data=body, auth=("x", "y")).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "pts_wrong"}, 401, "invalid_client"),
        ({"client_id": "client_nobody"}, 401, "invalid_client"),
        ({"client_id": "client\0nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": None}, 400, "invalid_request"),
        ({"client_id": 7}, 400, "invalid_request"),
    ],
)
def test_refusals(
    anonymous: TestClient, crm: Made, changes: dict[str, Any], status: int, error: str
) -> None:
    answer = ask(anonymous, crm, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["detail"]
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"' + b"[" * 9000])
@pytest.mark.parametrize("headers", [{}, FORM])
def test_bodies_that_ask_for_no_token(
    anonymous: TestClient, body: bytes, headers: dict[str, str]
) -> None:
    answer = anonymous.post("/oauth/token", content=body, headers=headers)
    assert answer.status_code == 400


def test_a_revoked_client_is_out_at_once(
    anonymous: TestClient, crm: Made, db: psycopg.Connection
) -> None:
    headers = {"Authorization": crm["Authorization"]}
    assert anonymous.get(EVENTS, headers=headers).status_code == 200
    found = clients.find(db, crm["client_id"])
    assert found is not None
    assert not clients.revoke(db, found.section_id + 1, found.public_id, NOW)
    assert clients.revoke(db, found.section_id, found.public_id, NOW)
    assert anonymous.get(EVENTS, headers=headers).status_code == 401
    assert ask(anonymous, crm).status_code == 401


@pytest.mark.parametrize(
    ("after", "valid"),
    [(timedelta(0), True), (DAY - timedelta(seconds=1), True), (DAY, False), (2 * DAY, False)],
)
def test_the_end_of_a_token(settings: Settings, after: timedelta, valid: bool) -> None:
    vault = Vault(settings)
    token, ends = tokens.mint(vault, "client_crm", NOW)
    assert ends == NOW + DAY
    if valid:
        assert tokens.client_id_of(vault, token, NOW + after) == "client_crm"
    else:
        with pytest.raises(tokens.BadTokenError, match="expired"):
            tokens.client_id_of(vault, token, NOW + after)


def forged(vault: Vault, kind: str) -> str:
    claims: dict[str, Any] = {"sub": "client_crm", "exp": int((NOW + DAY).timestamp())}
    key, algorithm = vault.token_key, "HS256"
    if kind == "another key":
        key = b"k" * 32
    elif kind == "no signature":
        return jwt.encode(claims, None, "none")  # type: ignore[arg-type]
    elif kind == "another algorithm":
        algorithm = "HS384"
    else:
        claims = {name: value for name, value in claims.items() if name != kind}
    return jwt.encode(claims, key, algorithm)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("kind", ["another key", "no signature", "another algorithm", "exp", "sub"])
def test_forged_tokens(settings: Settings, kind: str) -> None:
    vault = Vault(settings)
    with pytest.raises(tokens.BadTokenError, match="no token of ours"):
        tokens.client_id_of(vault, forged(vault, kind), NOW)


def test_a_secret_fits_its_own_client(anonymous: TestClient, make_client: MakeClient) -> None:
    crm, shop = make_client(), make_client()
    assert ask(anonymous, crm, client_secret=shop["client_secret"]).status_code == 401
    assert json.loads(ask(anonymous, crm).text)["access_token"]
