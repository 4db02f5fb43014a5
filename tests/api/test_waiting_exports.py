"""How many exports of a client may wait at once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import MakeClient
from tracker.actions.exporting import MOST_WAITING
from tracker.api.admission import Limits
from tracker.api.app import make_app
from tracker.settings import Settings

EXPORTS = "/audience/keyspaces/web/profiles/ann/exports"


@pytest.mark.usefixtures("cast")
def test_so_many_wait_and_no_more(
    settings: Settings, db: psycopg.Connection, make_client: MakeClient
) -> None:
    mine, another = ({"Authorization": make_client()["Authorization"]} for _ in range(2))
    app = make_app(settings, Limits(key_per_second=1_000))
    with (
        TestClient(app, base_url="http://127.0.0.1") as web,
        ThreadPoolExecutor(MOST_WAITING + 2) as aside,
    ):
        asked = [
            aside.submit(web.post, EXPORTS, headers=mine).result for _ in range(MOST_WAITING + 2)
        ]
        statuses = sorted(answer().status_code for answer in asked)
        assert statuses == [202] * MOST_WAITING + [429] * 2
        refused = web.post(EXPORTS, headers=mine)
        assert refused.headers["retry-after"] == "10"
        assert "10 of your exports wait already" in refused.json()["detail"]
        assert web.post(EXPORTS, headers=another).status_code == 202
        db.execute(
            "UPDATE export SET ready_at = made_at WHERE id IN"
            " (SELECT id FROM export ORDER BY made_at LIMIT 1)"
        )
        assert web.post(EXPORTS, headers=mine).status_code == 202
        assert web.post(EXPORTS, headers=mine).status_code == 429
