"""Who reads an export slowly keeps no connection to the database meanwhile."""

from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis

from tests.api.conftest import MakeClient
from tracker.api.exports import fetch_export
from tracker.api.operations import Call
from tracker.pages import jobs
from tracker.settings import Settings
from tracker.stores import clients, database, exports, profiles
from tracker.stores.exports import Asker
from tracker.vault import Vault

NOW = datetime.now(UTC)


@pytest.mark.usefixtures("cast")
def test_readers_that_stop_after_a_part(
    settings: Settings, db: psycopg.Connection, redis: Redis, make_client: MakeClient
) -> None:
    client = clients.find(db, make_client()["client_id"])
    assert client is not None
    ann = profiles.find(db, client.section_id, "web", "ann")
    assert ann is not None
    exports.ask(db, "exp_1", client.section_id, Asker(client.id), next(iter(ann.identifiers)), NOW)
    for number in (1, 2):
        exports.add_part(db, "exp_1", number, f"part {number}\n", NOW)
    exports.make_ready(db, "exp_1", NOW)
    call = Call(
        connection=db,
        redis=redis,
        settings=settings,
        vault=Vault(settings),
        now=NOW,
        path={"id": "exp_1"},
        headers={},
        raw=b"",
        address="",
        count_token=lambda name: None,
        count_key=lambda call, identity: None,
        _client=client,
    )
    with database.open_pool(settings.database_url, size=1) as pool:
        pool.timeout = 2
        begin = fetch_export(call).stream
        assert begin is not None
        readers = [begin(pool) for _ in range(3)]
        assert [next(reader) for reader in readers] == [b"part 1\n"] * 3
        assert [list(reader) for reader in readers] == [[b"part 2\n"]] * 3

        pages = [jobs._lines(pool.connection, "exp_1") for _ in range(3)]
        assert [next(reader) for reader in pages] == [b"part 1\n"] * 3
        assert [list(reader) for reader in pages] == [[b"part 2\n"]] * 3

        late = begin(pool)
        exports.end(db, "exp_1")
        with pytest.raises(exports.EndedError):  # not an empty answer
            next(late)
