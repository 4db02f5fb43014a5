"""Is a server there yet? Each probe answers within a second or so, and never raises."""

import asyncio
from pathlib import Path

import psycopg

_PATIENCE = 2.0
_GET_HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def started() -> bool:
    """For processes that nobody talks to."""
    return True


async def answers_ping(socket: Path) -> bool:
    """Whether Valkey answers; it does not while it reads its data from disk."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def answers_sql(url: str) -> bool:
    """Whether PostgreSQL takes connections; it does not while it recovers from a crash."""
    try:
        async with asyncio.timeout(_PATIENCE):
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=2):
                return True
    except (psycopg.OperationalError, TimeoutError):
        return False


async def answers_health(host: str, port: int) -> bool:
    """Whether GET /health gets 200."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(_GET_HEALTH)
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
