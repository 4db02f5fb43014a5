"""The servers keep what they confirmed, whatever ends them."""

import os
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.embedded.waiting import kill, stranger, until_gone
from tracker import embedded
from tracker.embedded import Servers

pytestmark = pytest.mark.slow


def note(servers: Servers, text: str) -> None:
    with psycopg.connect(servers.database_url) as db, Redis.from_url(servers.redis_url) as client:
        db.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        db.execute("INSERT INTO note VALUES (%s)", (text,))
        client.rpush("note", text)


def notes(servers: Servers) -> tuple[list[str], list[bytes]]:
    with psycopg.connect(servers.database_url) as db, Redis.from_url(servers.redis_url) as client:
        rows = db.execute("SELECT text FROM note").fetchall()
        return [text for (text,) in rows], client.lrange("note", 0, -1)


def test_data_survives_a_clean_stop(data_dir: Path) -> None:
    with embedded.servers(data_dir) as first:
        note(first, "kept")
    until_gone(*first.pids.values())
    with embedded.servers(data_dir) as second:
        assert notes(second) == (["kept"], [b"kept"])


def test_data_survives_kill_9(data_dir: Path) -> None:
    with embedded.servers(data_dir) as first:
        note(first, "kept")
        kill(*first.pids.values())
    with embedded.servers(data_dir) as second:
        assert notes(second) == (["kept"], [b"kept"])


def test_settings_that_durability_rests_on(servers: Servers) -> None:
    with psycopg.connect(servers.database_url) as db, Redis.from_url(servers.redis_url) as client:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert db.execute(f"SHOW {setting}").fetchone() == ("on",)
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        assert 0 < int(client.config_get("maxmemory")["maxmemory"]) < memory


def test_only_private_sockets_lead_to_them(servers: Servers) -> None:
    with psycopg.connect(servers.database_url) as db, Redis.from_url(servers.redis_url) as client:
        assert db.execute("SHOW listen_addresses").fetchone() == ("",)
        assert db.execute("SELECT datlocale FROM pg_database").fetchone() == ("C.UTF-8",)
        assert client.config_get("port") == {"port": "0"}
        folder = Path(db.info.host)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_interrupted_initdb_leaves_no_broken_cluster(data_dir: Path) -> None:
    with embedded.servers(data_dir):
        pass
    (data_dir / "postgres" / "data").rename(data_dir / "postgres" / "initdb-12345")
    (data_dir / "postgres" / "initdb-12345" / "PG_VERSION").unlink()
    with embedded.servers(data_dir) as servers:
        note(servers, "fresh")
    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["data"]


def test_a_lock_file_with_somebody_elses_number_is_no_obstacle(data_dir: Path) -> None:
    with embedded.servers(data_dir) as first:
        note(first, "kept")
        kill(*first.pids.values())
        lock = data_dir / "postgres" / "data" / "postmaster.pid"
        lines = lock.read_text().splitlines()
    # As after a reboot: a process of the same user, but no PostgreSQL, has that number now.
    with stranger() as pid:
        lock.write_text("\n".join([str(pid), *lines[1:]]))
        with embedded.servers(data_dir) as second:
            assert notes(second)[0] == ["kept"]


def test_a_path_too_long_for_a_socket(data_dir: Path) -> None:
    deep = data_dir / ("d" * 100)
    with embedded.servers(deep) as servers:
        note(servers, "kept")
        short = (deep / "run").resolve()
    with embedded.servers(deep) as servers:
        assert notes(servers)[0] == ["kept"]
        assert (deep / "run").resolve() == short
    short.rmdir()


@pytest.mark.parametrize(
    ("server", "file"),
    [
        ("valkey", "valkey/appendonlydir/appendonly.aof.manifest"),
        ("postgres", "postgres/data/PG_VERSION"),
    ],
)
def test_a_server_that_cannot_start_shows_its_log(data_dir: Path, server: str, file: str) -> None:
    with embedded.servers(data_dir):
        pass
    (data_dir / file).write_text("nonsense\n")
    message = f"{server} ended with code 1. Its log, .*{server}.log, ends:\n    "
    with pytest.raises(embedded.EmbeddedError, match=message), embedded.servers(data_dir):
        pass
