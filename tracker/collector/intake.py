"""What the collector does with a request: plain functions that know no HTTP server.

Order: size, key, origin, room in the queue, envelope, rate, append. Nothing here looks into a hit
beyond the visitor id that chooses its partition, and nothing waits for PostgreSQL.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import structlog

from tracker.collector.appending import Appending
from tracker.collector.group_commit import QueueAwayError
from tracker.collector.key_ring import KeyRing
from tracker.collector.pressure import Pressure
from tracker.collector.redis_connection import Done
from tracker.collector.senders import Seen
from tracker.rules.hit_rates import Charge, HitRates, OverRateError
from tracker.rules.hits import (
    MAX_BODY,
    BadEnvelopeError,
    Envelope,
    parse_envelope,
    partition_of,
)
from tracker.rules.origins import lets_in
from tracker.rules.rates import AtMost
from tracker.rules.refusals import Refusal
from tracker.stores.hit_queue import pack_append, pack_text
from tracker.stores.key_table import KeyEntry
from tracker.stores.losses import pack_lost

QUIET_SECONDS = 10.0
"""Between two lines of the log that say why hits are not queued; thousands a second may not be."""

log = structlog.get_logger("collector")


class RefusedError(Exception):
    """The request is refused; no hit of it may be taken as queued."""

    def __init__(self, refusal: Refusal, detail: str = "", retry_after: int = 1) -> None:
        super().__init__(detail or refusal.meaning)
        self.refusal = refusal
        self.retry_after = retry_after


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """Hits that are on their way to Redis, and what of rate limits they took."""

    hits: int
    taken: Sequence[Charge] = ()


class Intake:
    """Takes requests for the hit queue, and counts them, and the ones it refuses.

    now: seconds for rates; clock: Unix time, at which replaced keys end.
    """

    def __init__(
        self,
        keys: KeyRing,
        queue: Appending,
        pressure: Pressure,
        rates: HitRates,
        now: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._queue, self._losses = queue.hits, queue.losses
        self._pressure = pressure
        self._rates = rates
        self._now = now
        self._clock = clock
        self.refused: Counter[str] = Counter()
        self.requests = self.hits = 0
        self._told = AtMost(1, QUIET_SECONDS)

    async def take(self, key: str, seen: Seen, body: bytes) -> None:
        """Queue a request's hits; when this returns, Redis has every one of them on disk.

        Raises RefusedError.
        """
        try:
            if len(body) > MAX_BODY:
                raise RefusedError(Refusal.TOO_LARGE)
            entry = await self.admit(key, seen.origin, seen.test)
            if wait := self._pressure.retry_after:
                raise RefusedError(Refusal.QUEUE_FULL, retry_after=wait)
            await self._append(key, _envelope(body), seen, entry)
        except RefusedError as refused:
            self.refused[refused.refusal] += 1
            raise

    def attempt(self, key: str, seen: Seen, body: bytes, done: Done) -> Ticket | None:
        """Queue a request's hits at once where nothing at all speaks against it.

        `done` hears later what came of them: None when Redis has every one on disk, else why not;
        then `confirmed` or `failed` is to be called with the ticket. None where `take` is to
        decide: it says no, waits for a newer key table, or counts what senders lost. What comes by
        the thousand is refused here, to cost no more than what is taken: raises RefusedError.
        """
        entry = self._keys.get(key)
        if entry is None or judge(entry, seen.origin, self._clock() * 1000, seen.test) is not None:
            return None
        if wait := self._pressure.retry_after:
            raise self.refuse(Refusal.QUEUE_FULL, "", wait)
        try:
            envelope = parse_envelope(body)
            if envelope.lost:
                return None
            ticket = self._ticket(key, seen, envelope)
        except BadEnvelopeError:
            return None
        except OverRateError as error:
            raise self.refuse(error.refusal, "", error.wait) from None
        sender = seen.packed(entry.addresses)
        if self._queue.send(pack(key, envelope, self._keys.partitions, sender), done):
            return ticket
        self._rates.give_back(ticket.taken, self._now())
        return None

    def _ticket(self, key: str, seen: Seen, envelope: Envelope) -> Ticket:
        """Raises OverRateError."""
        if not self._rates.on:
            return Ticket(len(envelope.hits))
        taken = self._rates.take(key, seen.client, envelope.hits, self._now())
        return Ticket(len(envelope.hits), taken)

    def confirmed(self, ticket: Ticket) -> None:
        """Count a request whose hits Redis has on disk."""
        self.requests += 1
        self.hits += ticket.hits

    def failed(self, ticket: Ticket, error: str) -> RefusedError:
        """The refusal of hits that were attempted, and that Redis did not confirm; error: why."""
        self._give_up(ticket, error)
        return self.refuse(Refusal.QUEUE_AWAY, "")

    def _give_up(self, ticket: Ticket, error: str) -> None:
        now = self._now()
        self._rates.give_back(ticket.taken, now)
        if not self._told.take("hits_not_queued", now):
            log.warning("hits_not_queued", error=error)

    def refuse(self, refusal: Refusal, detail: str, retry_after: int = 1) -> RefusedError:
        """A refusal of what never got as far as `take`, counted like the others."""
        self.refused[refusal] += 1
        return RefusedError(refusal, detail, retry_after)

    async def admit(self, key: str, origin: str | None, test: bool = False) -> KeyEntry:
        """Check the key and the origin; refuse for good only on a table known to be current."""
        entry = self._keys.get(key)
        refusal = judge(entry, origin, self._clock() * 1000, test)
        if refusal is not None:
            await self._keys.refresh()
            entry = self._keys.get(key)
            refusal = judge(entry, origin, self._clock() * 1000, test)
        if refusal is not None:
            raise RefusedError(refusal if self._keys.current else Refusal.UNSURE)
        assert entry is not None
        return entry

    async def _append(self, key: str, envelope: Envelope, seen: Seen, entry: KeyEntry) -> None:
        sender = seen.packed(entry.addresses)
        try:
            ticket = self._ticket(key, seen, envelope)
        except OverRateError as error:
            raise RefusedError(error.refusal, retry_after=error.wait) from None
        try:
            await self._queue.append(pack(key, envelope, self._keys.partitions, sender))
            uncounted = None if seen.test else await self._count_lost(key, envelope.lost)
            self.confirmed(ticket)
        except QueueAwayError as error:
            self._give_up(ticket, str(error))
            raise RefusedError(Refusal.QUEUE_AWAY) from error
        # No count is worth a hit: without this answer the sender would send them again for ever.
        if uncounted:
            log.error("uncounted_losses", key=key, lost=envelope.lost, error=str(uncounted))

    async def _count_lost(self, key: str, count: int) -> QueueAwayError | None:
        """Add to what the snippet's senders lost, once their hits are queued.

        Returns why Redis refused it, if it did; its user may not write there, say.
        """
        try:
            if count:
                await self._losses.append([pack_lost(pack_text(key), count)])
        except QueueAwayError as error:
            return error
        return None


_CLOSED = {"off": Refusal.OFF, "hidden": Refusal.HIDDEN}


def judge(
    entry: KeyEntry | None, origin: str | None, now_ms: float, test: bool = False
) -> Refusal | None:
    """Whether a key lets hits, or hits for trying out, from this origin in; no header is None."""
    if entry is None:
        return Refusal.UNKNOWN_KEY
    if entry.state != "on":
        return _CLOSED[entry.state]
    if entry.until and now_ms >= entry.until:
        return Refusal.ROTATED
    if origin is None:
        return Refusal.ORIGIN if entry.strict else None
    return None if lets_in(entry.origins, origin, test) else Refusal.ORIGIN


def pack(key: str, envelope: Envelope, partitions: int, sender: bytes) -> list[bytes]:
    """The commands that append an envelope's hits to their partitions; sender: packed."""
    packed_key, sent = pack_text(key), pack_text(str(envelope.sent))
    commands = []
    for raw in envelope.hits:
        to = partition_of(raw, partitions)
        commands.append(pack_append(to, packed_key, sent, sender, raw))
    return commands


def _envelope(body: bytes) -> Envelope:
    try:
        return parse_envelope(body)
    except BadEnvelopeError as error:
        raise RefusedError(Refusal.BAD_ENVELOPE, str(error)) from None
