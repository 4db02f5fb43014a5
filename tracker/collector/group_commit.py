"""Appends to the hit queue: what arrives together, or nearly, shares one round trip.

Redis flushes its append-only file once for all it received together, so under load the price of
a flush to disk is shared by many hits.
"""

import asyncio
import ssl
from typing import Any

import hiredis
import structlog
from redis.asyncio.connection import SSLConnection, parse_url

from tracker.collector.ending import end
from tracker.collector.redis_connection import Done, RedisConnection, Senders, many

PATIENCE_SECONDS = 5.0
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

log = structlog.get_logger("collector")


class QueueAwayError(Exception):
    """Redis did not confirm an append: it may or may not have it, so the sender must retry."""


class GroupCommit:
    """Keeps one connection to Redis, and comes back when it is lost.

    `patience` is how many seconds Redis may be silent before it counts as away; `senders` says how
    many may append at the moment: see RedisConnection.
    """

    def __init__(
        self, url: str, patience: float = PATIENCE_SECONDS, senders: Senders = many
    ) -> None:
        self._address: dict[str, Any] = dict(parse_url(url))
        self._patience, self._senders = patience, senders
        self._connection: RedisConnection | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.lost.is_set()

    async def start(self) -> None:
        """Connect now if Redis is there, and keep connected until `stop`."""
        self._loop = asyncio.get_running_loop()
        await self._try_connect()
        self._keeper = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Close the connection; appends that are under way fail."""
        if self._keeper:
            await end(self._keeper)
        if self._connection:
            self._connection.close()
            await self._connection.lost.wait()

    def send(self, commands: list[bytes], done: Done) -> bool:
        """Send packed commands; `done` hears, later, what came of them: see RedisConnection.

        False where nothing was sent, and `done` hears nothing.
        """
        return self._connection is not None and self._connection.append(commands, done)

    def append(self, commands: list[bytes]) -> asyncio.Future[None]:
        """Send packed commands; the future ends when Redis has answered every one of them.

        It ends in QueueAwayError if Redis refused one of them or went away.
        """
        return _future(self._loop, self._connection, commands)

    # -- the connection

    async def _keep_connected(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            if self._connection is not None:
                await self._watch(self._connection)
                self._connection = None
                await asyncio.sleep(SHORTEST_PAUSE)  # A replica lets one in again and again.
            if await self._try_connect():
                pause = SHORTEST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _watch(self, connection: RedisConnection) -> None:
        """Until it is lost. One that is silent is given up: senders must not wait for ever."""
        while not connection.lost.is_set():
            try:
                await asyncio.wait_for(connection.lost.wait(), self._patience / 5)
            except TimeoutError:
                if connection.waits() > self._patience:
                    log.warning("redis_silent", seconds=self._patience)
                    connection.close()

    async def _try_connect(self) -> bool:
        """Appends go to a connection only when Redis has let it in, and into the right database."""
        connection = RedisConnection(self._loop, self._senders)
        try:
            async with asyncio.timeout(self._patience):
                await self._open(connection)
                await _future(self._loop, connection, _introduction(self._address))
        except (OSError, QueueAwayError) as error:
            log.warning("redis_away", error=str(error) or "no answer")
            connection.close()
            return False
        self._connection = connection
        return True

    async def _open(self, connection: RedisConnection) -> None:
        if "path" in self._address:
            await self._loop.create_unix_connection(lambda: connection, self._address["path"])
            return
        await self._loop.create_connection(
            lambda: connection,
            self._address.get("host", "localhost"),
            self._address.get("port", 6379),
            ssl=_tls(self._address),
        )


def _future(
    loop: asyncio.AbstractEventLoop, connection: RedisConnection | None, commands: list[bytes]
) -> asyncio.Future[None]:
    future = loop.create_future()

    def done(error: str | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(QueueAwayError(error))

    if connection is None or not connection.append(commands, done):
        done("there is no connection to Redis, or too much waits for it")
    return future


def _introduction(address: dict[str, Any]) -> list[bytes]:
    commands: list[tuple[str, ...]] = [("PING",)]
    if database := address.get("db"):
        commands.insert(0, ("SELECT", str(database)))
    if password := address.get("password"):
        user = address.get("username")
        commands.insert(0, ("AUTH", user, password) if user else ("AUTH", password))
    return [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]


def _tls(address: dict[str, Any]) -> ssl.SSLContext | None:
    """What a rediss:// URL asks for, `ssl_ca_certs` and the like included, read by redis-py."""
    kind = address.get("connection_class")
    if not (isinstance(kind, type) and issubclass(kind, SSLConnection)):
        return None
    options = {name: value for name, value in address.items() if name != "connection_class"}
    return kind(**options).ssl_context.get()
