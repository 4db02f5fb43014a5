"""A database whose machine is gone is missed within a minute, not after hours."""

import asyncio
import os
import socket
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.chaos.links import Link
from tracker.settings import Settings
from tracker.stores import database

OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
)


def look(url: str) -> None:
    with (
        database.connect(url) as connection,
        socket.socket(fileno=os.dup(connection.fileno())) as ours,
    ):
        for level, option, value in OPTIONS:
            assert ours.getsockopt(level, option) == value


def test_the_kernel_watches_over_connections(settings: Settings) -> None:
    host = Path(str(conninfo_to_dict(settings.database_url)["host"]))

    async def run() -> None:
        link = Link("PostgreSQL", host / ".s.PGSQL.5432")
        await link.open()
        url = make_conninfo(settings.database_url, host="127.0.0.1", port=link.port)
        try:
            await asyncio.to_thread(look, url)
        finally:
            await link.close()

    asyncio.run(run())
