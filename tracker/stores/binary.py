"""Values in PostgreSQL's binary form: rows for COPY, and arrays that are one parameter each.

psycopg makes both value by value; a worker has thousands of values in a batch, and spends a fifth
of that here. The form of rows is in PostgreSQL's documentation of COPY ("Binary Format"), that of
arrays is what its `array_recv` reads; values are in network byte order.
"""

from collections.abc import Iterable, Sequence
from struct import Struct, pack

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

NULL = b"\xff\xff\xff\xff"
"""A row's value that is null; the others are their length in bytes, and the bytes."""
_POSTGRES_EPOCH_MS = 946_684_800_000
"""Where PostgreSQL counts from: the year 2000."""
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_length = Struct("!i").pack
_int = Struct("!ii").pack
_bigint = Struct("!iq").pack


def copy(connection: psycopg.Connection, statement: bytes, rows: Iterable[bytes]) -> None:
    """Write rows, each its number of columns (2 bytes) and its values. Raises psycopg.Error."""
    with connection.cursor().copy(statement) as writing:
        writing.write(b"".join((_COPY_HEAD, *rows, _COPY_END)))


def microseconds(unix_ms: int) -> int:
    """A time in Unix ms as PostgreSQL counts it."""
    return (unix_ms - _POSTGRES_EPOCH_MS) * 1000


def bigint(number: int) -> bytes:
    """A bigint, or a time in PostgreSQL's microseconds, as a row's value."""
    return _bigint(8, number)


def text(value: str | None) -> bytes:
    """A text as a row's value. Raises UnicodeEncodeError."""
    if value is None:
        return NULL
    data = value.encode()
    return _length(len(data)) + data


def jsonb(json: bytes | memoryview) -> bytes:
    """A JSON text as a row's value; 1 is the version of the form."""
    return _length(len(json) + 1) + b"\x01" + json


class IntArray(bytes):
    """An int[] as a parameter."""


class TextArray(bytes):
    """A text[] as a parameter."""


class UuidArray(bytes):
    """A uuid[] as a parameter."""


def ints(numbers: Sequence[int]) -> IntArray:
    """An int[] of these numbers."""
    return IntArray(_array(23, [_int(4, number) for number in numbers]))


def texts(values: Sequence[str]) -> TextArray:
    """A text[] of these texts. Raises UnicodeEncodeError."""
    return TextArray(_array(25, [text(value) for value in values]))


def uuids(ids: Sequence[bytes]) -> UuidArray:
    """A uuid[] of these ids, 16 bytes each."""
    return UuidArray(_array(2950, [b"\0\0\0\x10" + id_ for id_ in ids]))


def _array(element: int, values: Sequence[bytes]) -> bytes:
    """An array of one dimension, counted from 1, without nulls, of a type with this OID."""
    return pack("!5i", 1, 0, element, len(values), 1) + b"".join(values)


class _Ready(Dumper):
    """Hands a parameter on as it is."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


class _IntArray(_Ready):
    oid = 1007


class _TextArray(_Ready):
    oid = 1009


class _UuidArray(_Ready):
    oid = 2951


for made, dumper in ((IntArray, _IntArray), (TextArray, _TextArray), (UuidArray, _UuidArray)):
    psycopg.adapters.register_dumper(made, dumper)
