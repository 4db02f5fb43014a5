"""Posting events by API: judged at once, item by item, and stored with what they are told."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg

from tracker.actions.refusals import ErasedError, RefusedError
from tracker.rules import allowed_operations
from tracker.rules.allowed_operations import Access
from tracker.rules.errors import FieldError
from tracker.rules.fields import Field
from tracker.rules.ids import RANDOM_BYTES, mint
from tracker.rules.keyspaces import Identity
from tracker.rules.outcomes import Outcome
from tracker.rules.posts import ItemStatus, ReadItem, read_item
from tracker.rules.states import NO_PARTITION, POSTED, Ended, Move, day_of
from tracker.rules.validation import Validator
from tracker.stores import batches, event_locks, hit_counts, postings, profiles
from tracker.stores.postings import NamedVersion, PostedEvent
from tracker.vault import Vault

SOURCE = "API"


class TooEarlyError(RefusedError):
    """The only item of a post names a version that is not usable yet; `usable_from` says when."""

    def __init__(self, usable_from: datetime) -> None:
        super().__init__(_early(usable_from))
        self.usable_from = usable_from


class KeyUsedError(RefusedError):
    """The Idempotency-Key went with another post."""


class IdempotencyKey(NamedTuple):
    """A client's name for a post: however often it sends it, it counts once."""

    client_id: int
    key: str


class ItemAnswer(msgspec.Struct):
    """What became of an item: `status` as in HTTP; `errors` have paths such as `data.amount`.

    id: the event's, also where the client sent none; usable_from: when it may be sent again.
    """

    index: int
    status: int
    id: UUID | None = None
    detail: str | None = None
    errors: list[FieldError] = []
    usable_from: datetime | None = None


class Posted(msgspec.Struct):
    """What became of each item, in the order of the post; `stored` if all were stored."""

    items: list[ItemAnswer]

    @property
    def stored(self) -> bool:
        return all(item.status == ItemStatus.STORED for item in self.items)


def post(
    connection: psycopg.Connection,
    vault: Vault,
    section_id: int,
    identity: Identity,
    items: Sequence[bytes],
    now: datetime,
    key: IdempotencyKey | None = None,
) -> Posted:
    """Post items, each the JSON of one, to a profile, which is made if it is missing.

    Raises ErasedError, TooEarlyError and KeyUsedError; then nothing is stored.
    """
    with connection.transaction():
        event_locks.share_events(connection)
        if profiles.any_erased(connection, section_id, [vault.erased_hash(section_id, identity)]):
            raise ErasedError(identity)
        if key is None:
            return _post(connection, section_id, identity, items, now)
        body_hash = _hash(section_id, identity, items)
        earlier = postings.promise(connection, *key, body_hash, now)
        if earlier is not None:
            return _again(earlier, body_hash)
        posted = _post(connection, section_id, identity, items, now)
        postings.keep(connection, *key, msgspec.json.encode(posted).decode())
        return posted


def _hash(section_id: int, identity: Identity, items: Sequence[bytes]) -> bytes:
    whole = [section_id, *identity, [msgspec.Raw(item) for item in items]]
    return hashlib.sha256(msgspec.json.encode(whole)).digest()


def _again(earlier: postings.Promise, body_hash: bytes) -> Posted:
    if earlier.body_hash != body_hash:
        raise KeyUsedError("This Idempotency-Key went with another post: use a new one for each.")
    return msgspec.json.decode(earlier.answer, type=Posted)


def _post(
    connection: psycopg.Connection,
    section_id: int,
    identity: Identity,
    items: Sequence[bytes],
    now: datetime,
) -> Posted:
    read = [read_item(item, now) for item in items]
    named = {item.version_id for item in read if item.version_id is not None}
    versions = postings.versions(connection, section_id, named)
    answers = []
    events = []
    for index, item in enumerate(read):
        answer, data = _judge(index, item, versions, identity, now)
        answers.append(answer)
        if data is not None:
            answer.id = item.id or _new_id(now)
            assert item.version_id is not None
            assert item.event_time is not None
            version_id = versions[item.version_id].id
            events.append(PostedEvent(answer.id, version_id, item.event_time, msgspec.Raw(data)))
    if len(answers) == 1 and answers[0].usable_from is not None:
        raise TooEarlyError(answers[0].usable_from)
    if events:
        _store(connection, section_id, identity, events, answers, now)
    return Posted(answers)


def _store(
    connection: psycopg.Connection,
    section_id: int,
    identity: Identity,
    events: Sequence[PostedEvent],
    answers: Sequence[ItemAnswer],
    now: datetime,
) -> None:
    """Store what is new, count it, and mark what was there already as a duplicate."""
    [identifier_id] = profiles.ensure(connection, section_id, [identity]).values()
    new = postings.store(connection, section_id, identifier_id, events, now)
    if new:
        stored = Move(NO_PARTITION, POSTED, Outcome.STORED)
        batches.count(connection, Counter({stored: len(new)}))
        day = day_of(int(now.timestamp() * 1000))
        versions = {event.id: event.version_id for event in reversed(events)}
        ends = (Ended(NO_PARTITION, versions[id_], day, Outcome.STORED) for id_ in new)
        hit_counts.add(connection, Counter(ends))
    for answer in answers:
        if answer.status == ItemStatus.STORED:
            assert answer.id is not None
            if answer.id not in new:
                answer.status = ItemStatus.DUPLICATE
                answer.detail = "An event with this id was stored before."
            new.discard(answer.id)


def _judge(
    index: int,
    item: ReadItem,
    versions: Mapping[str, NamedVersion],
    identity: Identity,
    now: datetime,
) -> tuple[ItemAnswer, bytes | None]:
    """What becomes of an item, and its data if it is good."""
    answer = ItemAnswer(index, ItemStatus.INVALID, item.id, errors=item.errors)
    version = versions.get(item.version_id or "")
    if version is not None:
        answer.status, answer.detail, answer.usable_from = _standing(version, identity, now)
    elif item.version_id is not None:
        answer.status = ItemStatus.UNKNOWN_VERSION
        answer.detail = (
            f"The section has no version {item.version_id[:100]!r}: send one of its ids."
        )
    data = None
    if version is not None and answer.status == ItemStatus.STORED:
        data = _check(item, version, answer)
    if answer.status == ItemStatus.INVALID:
        answer.detail = "It was not stored: see `errors`."
    return answer, data


def _standing(
    version: NamedVersion, identity: Identity, now: datetime
) -> tuple[ItemStatus, str | None, datetime | None]:
    """Whether a version may be posted by this keyspace now; if not, why, and from when."""
    if version.hidden:
        return ItemStatus.HIDDEN, "This event was hidden for good: it takes no more.", None
    denied = version.denied_operations
    if not allowed_operations.is_allowed(denied, identity.keyspace, Access.WRITE):
        detail = f"This event must not be written by {identity.keyspace}: use another keyspace."
        return ItemStatus.DENIED, detail, None
    if version.usable_from > now:
        return ItemStatus.TOO_EARLY, _early(version.usable_from), version.usable_from
    return ItemStatus.STORED, None, None


def _early(usable_from: datetime) -> str:
    return (
        f"This version can't be used before {usable_from:%F %T}Z: send the one before it, or wait."
    )


def _check(item: ReadItem, version: NamedVersion, answer: ItemAnswer) -> bytes | None:
    """The item's data as it is stored, or None with all that is wrong added to the answer."""
    checked = _validator(version.fields).validate(item.data, SOURCE)
    if isinstance(checked, list):
        answer.errors = [*item.errors, *map(_in_data, checked)]
    if not answer.errors and isinstance(checked, bytes):
        return checked
    answer.status = ItemStatus.INVALID
    return None


def _in_data(error: FieldError) -> FieldError:
    path = f"data.{error.field}" if error.field else "data"
    return FieldError(path, error.code, error.message)


@lru_cache(maxsize=256)
def _validator(fields: bytes) -> Validator:
    """Compiled once for all posts: it takes longer than the validation of a hundred items."""
    return Validator(msgspec.json.decode(fields, type=list[Field]))


def _new_id(now: datetime) -> UUID:
    return mint(int(now.timestamp() * 1000), secrets.token_bytes(RANDOM_BYTES))
