"""Posts of API clients: what one item may be, and what its version says to it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

import msgspec

from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.ids import is_near, read_uuid7

MAX_ITEMS = 100
MAX_UNKNOWN, MAX_SHOWN = 10, 100
"""Unknown names that are told, and how much of each."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO_8601 = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII
)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class ItemStatus(IntEnum):
    """What became of an item, as an HTTP status."""

    DUPLICATE = 200
    STORED = 201
    DENIED = 403
    UNKNOWN_VERSION = 404
    TOO_EARLY = 409
    HIDDEN = 410
    INVALID = 422


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """An item as clients send it: when it happened, in which version, and the event's fields.

    event_time: ISO 8601 with an offset; id: a UUIDv7, without which a repeat is another event.
    """

    event_time: datetime
    version_id: str
    data: dict[str, Any] = {}
    id: UUID | None = None


class ReadItem(msgspec.Struct):
    """As much of an item as could be read, and all that is wrong with the rest."""

    event_time: datetime | None = None
    version_id: str | None = None
    data: bytes = b""
    id: UUID | None = None
    errors: list[FieldError] = []


def read_item(raw: bytes, now: datetime) -> ReadItem:
    """Read the JSON of one item; `now` is when it was received. Its data is read later."""
    item = ReadItem()
    try:
        sent = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _UNREADABLE as error:
        item.errors = [_unreadable(error)]
        return item
    item.data = bytes(sent.pop("data", b""))
    readers: dict[str, Callable[[str], object]] = {
        "event_time": _event_time,
        "version_id": str,
        "id": lambda text: _id(text, now),
    }
    errors = []
    for name, read in readers.items():
        value = bytes(sent.pop(name, b"null"))
        try:
            if value != b"null":
                setattr(item, name, read(_text(name, value)))
            elif name != "id":
                raise _WrongError(name, ErrorCode.REQUIRED, f"`{name}` is required.")
        except _WrongError as wrong:
            errors.append(wrong.error)
    item.errors = errors + [_unknown(name) for name in list(sent)[:MAX_UNKNOWN]]
    return item


def _unreadable(error: Exception) -> FieldError:
    if isinstance(error, msgspec.ValidationError):
        message = "An item is an object with `event_time`, `version_id` and `data`."
        return FieldError("", ErrorCode.NOT_AN_OBJECT, message)
    return FieldError("", ErrorCode.MALFORMED, f"The item is not valid JSON in UTF-8: {error}.")


class _WrongError(Exception):
    def __init__(self, name: str, code: ErrorCode, message: str) -> None:
        self.error = FieldError(name, code, message)


def _text(name: str, raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except _UNREADABLE:
        raise _WrongError(name, ErrorCode.WRONG_TYPE, "Expected a text.") from None


def _event_time(text: str) -> datetime:
    written = text.upper()
    try:
        if _ISO_8601.fullmatch(written):
            return datetime.fromisoformat(written).astimezone(UTC)
    except ValueError:
        pass
    except OverflowError:
        message = "An event's time lies in the years 1 to 9999 of UTC."
        raise _WrongError("event_time", ErrorCode.OUT_OF_RANGE, message) from None
    message = "Expected a time with its offset, in ISO 8601, such as 2026-11-23T09:30:00+01:00."
    raise _WrongError("event_time", ErrorCode.WRONG_TYPE, message)


def _id(text: str, now: datetime) -> UUID:
    id_ = read_uuid7(text)
    if id_ is None:
        message = "An item's id must be a UUIDv7: send one, or leave it out."
        raise _WrongError("id", ErrorCode.BAD_FORMAT, message)
    if not is_near(id_, (now - _EPOCH) // timedelta(milliseconds=1)):
        message = "The id was made more than 30 days ago, or is a day ahead: mint another."
        raise _WrongError("id", ErrorCode.OUT_OF_RANGE, message)
    return id_


def _unknown(name: str) -> FieldError:
    known = ", ".join(Item.__struct_fields__)
    return FieldError(name[:MAX_SHOWN], ErrorCode.UNKNOWN_FIELD, f"Known are {known}.")
