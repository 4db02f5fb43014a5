"""Senders that behave as snippets do: what got no 204 is sent again, under the same ids.

All send to the one port that the collectors have, on connections that they keep. Their clocks are
not right, as those of devices are not.
"""

import asyncio
import json
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.chaos.ledger import Kind, Ledger
from tracker.rules import ids

SENDERS = 10
HITS_EACH = 6
EVERY = 0.2  # seconds: 300 hits a second from all of them
PATIENCE = 10.0
VISITORS = 40
SKEWS_MS = (0, 0, 700, -700, 30_000, -300_000, 3_600_000, -86_400_000, 72_000_000, -864_000_000)
AHEAD_MS = 3 * ids.DAY_MS
AGE_MS = 15 * ids.DAY_MS
KINDS = (Kind.WRONG, Kind.FORGOTTEN, Kind.FORGOTTEN, Kind.FUTURE, Kind.NOBODY)
_PERMANENT = range(400, 500)
FIELD = "reference"
"""What holds a hit's id again, to see that no hit has another's data; of some kinds in FIELDS."""
FIELDS = {Kind.HELD: "subject", Kind.OLD: "stage", Kind.WRONG: "remark"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where hits go: the collectors' port, and the keys of three snippets.

    later: the key of a version that can't be used yet when the run begins; short_lived: that of an
    event that has a time to live.
    """

    port: int
    key: str
    later: str
    short_lived: str


def forgotten(number: int) -> str:
    """A visitor who is erased while hits of hers still come."""
    return f"forgotten-{number}"


class Sender:
    """One page that stays open. Its numbers come of the seed; ids do not, they must be new."""

    def __init__(self, number: int, target: Target, ledger: Ledger, dice: random.Random) -> None:
        self._number = number
        self._target = target
        self._ledger = ledger
        self._dice = dice
        self._skew_ms = SKEWS_MS[number % len(SKEWS_MS)]
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.last: UUID | None = None
        """The newest good hit that was acknowledged."""

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, and then until the last batch is acknowledged."""
        try:
            while not stop.is_set():
                key, kinds = self._choose()
                await self._send(key, [self._hit(kind) for kind in kinds])
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), EVERY)
        finally:
            self.hang_up()

    def _choose(self) -> tuple[str, list[Kind]]:
        """What the next request carries, and to which snippet's address."""
        drawn = self._dice.random()
        if drawn < 0.1:
            return self._target.later, [Kind.HELD] * HITS_EACH
        if drawn < 0.15:
            return self._target.short_lived, [Kind.OLD] * HITS_EACH
        return self._target.key, [self._kind() for _ in range(HITS_EACH)]

    def _kind(self) -> Kind:
        return self._dice.choice(KINDS) if self._dice.random() < 0.06 else Kind.GOOD

    def _hit(self, kind: Kind) -> dict[str, Any]:
        now = time.time_ns() // 1_000_000
        at = now + self._skew_ms
        made = {Kind.FUTURE: max(at, now) + AHEAD_MS, Kind.OLD: at - AGE_MS}.get(kind, at)
        id_ = ids.mint(made, os.urandom(ids.RANDOM_BYTES))
        self._ledger.made(id_, kind)
        hit: dict[str, Any] = {
            "id": str(id_),
            "at": at,
            "data": {FIELDS.get(kind, FIELD): str(id_)},
        }
        if kind is Kind.OLD:
            hit["at"] = made
        if kind is Kind.FORGOTTEN:
            hit["visitor"] = forgotten(self._ledger.forgotten)
        elif kind is not Kind.NOBODY:
            hit["visitor"] = f"visitor-{self._number}-{self._dice.randrange(VISITORS)}"
        return hit

    async def _send(self, key: str, hits: list[dict[str, Any]]) -> None:
        own = [UUID(hit["id"]) for hit in hits]
        while True:
            self._ledger.sending(own)
            sent = time.time_ns() // 1_000_000 + self._skew_ms
            status, wait = await self._post(key, json.dumps({"sent": sent, "hits": hits}))
            self._ledger.answers[status] += 1
            if status == "204":
                self._ledger.got_204(own)
                good = [id_ for id_ in own if self._ledger.entries[id_].kind is Kind.GOOD]
                self.last = good[-1] if good else self.last
                if self._dice.random() > 0.02:  # now and then an answer is lost on its way
                    return
            elif status.isdecimal() and int(status) in _PERMANENT and status != "429":
                self._ledger.refused_for_good.append(f"{status} {own}")
                return
            await asyncio.sleep(wait)

    async def _post(self, key: str, body: str) -> tuple[str, float]:
        """The status, or why there is none, and the seconds to wait before the next try."""
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self._connect()
                writer.write(
                    f"POST /v1/{key} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                return await self._read(reader)
        except TimeoutError:
            self.hang_up()
            return "no answer in time", 0.1
        except ConnectionRefusedError:
            return "refused", 0.1
        except (OSError, EOFError):
            self.hang_up()
            return "connection lost", 0.05

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams and self._streams[0].at_eof():  # as browsers and proxies look, too
            self.hang_up()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._target.port)
        return self._streams

    async def _read(self, reader: asyncio.StreamReader) -> tuple[str, float]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.hang_up()
        return head[0].split(" ")[1], float(headers.get("retry-after", "0.1"))

    def hang_up(self) -> None:
        """Reset the connection, whatever is on its way; the next request has another one."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None
