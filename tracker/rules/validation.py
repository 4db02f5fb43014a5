"""Validation of a hit's data against the fields of its version, compiled once per version.

There are two ways through. The fast one is a msgspec decoder made for the version; it knows only
the common spellings. Whatever it does not take goes the slow way, value by value through
`parse_value`, which is the authority and finds every error. The fast one takes a subset of what
the slow one takes and writes the same bytes: tests/rules/test_validation_agrees.py.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec

from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.fields import (
    INT64,
    MAX_TEXT,
    Field,
    FieldType,
    RefusedValueError,
    Value,
    is_written_out,
    parse_value,
)

SOURCE = "source"
"""Key of the field that says where an event comes from; filled in when the sender leaves it out."""
MAX_UNKNOWN = 100
"""Unknown keys named one by one; a hit of 100 kB has room for 20,000, its errors must not grow."""
MAX_SHOWN = 100
"""Characters of an unknown key that its error repeats."""

_ESCAPED_NUL = b"\\u0000"
_READ_LATER = (FieldType.TIMESTAMP, FieldType.DECIMAL)
_FAST_TYPES: dict[FieldType, Any] = {
    FieldType.TEXT: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)],
    FieldType.BOOLEAN: bool,
    FieldType.DATE: date,
    FieldType.INTEGER: Annotated[int, msgspec.Meta(ge=INT64[0], le=INT64[1])],
    # msgspec reads "NaN", "1_0" and 1e999999 as decimals, and no Unix time: parse_value does these.
    FieldType.TIMESTAMP: msgspec.Raw,
    FieldType.DECIMAL: msgspec.Raw,
}
_READ_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Validator:
    """The fields of one version, ready to validate hits. Keys must be as `drafts.check` wants."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._keys = frozenset(field.key for field in fields)
        event_type = _event_type(self._fields)
        self._decode = msgspec.json.Decoder(event_type).decode
        self._decode_slow = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
        self._encode = msgspec.json.Encoder().encode
        attributes = list(zip(event_type.__struct_fields__, self._fields, strict=True))
        self._source = next((name for name, field in attributes if field.key == SOURCE), None)
        self._read_later = [(name, f.type) for name, f in attributes if f.type in _READ_LATER]

    def validate(self, data: bytes, source: str) -> bytes | list[FieldError]:
        """Return `data` normalised, as the bytes of a JSON object for jsonb, or all its errors.

        `data` is the raw JSON of the hit's data, b"" when it has none. The keys come out in the
        order of the version, optional ones without a value left out. `source` stands in when the
        sender left it out or sent null; it comes from the snippet's owner and is not checked.
        Errors are in the order of the version, then unknown keys as sent. Never raises.
        """
        fast = self.fast(data, source)
        return self.slow(data, source) if fast is None else fast

    def fast(self, data: bytes, source: str) -> bytes | None:
        """Return the normalised data, or None when only the slow way can tell."""
        if _ESCAPED_NUL in data:
            return None
        try:
            event = self._decode(data or b"{}")
            for name, type_ in self._read_later:
                _read(event, name, type_)
        except (*_READ_ERRORS, RefusedValueError):
            return None
        if self._source and getattr(event, self._source) is None:
            setattr(event, self._source, source)
        return self._encode(event)

    def slow(self, data: bytes, source: str) -> bytes | list[FieldError]:
        """Return the normalised data or every error, asking `parse_value` about each value."""
        try:
            sent = self._decode_slow(data or b"{}")
        except _READ_ERRORS as error:
            return [_unreadable(error)]
        values: dict[str, Value] = {}
        errors = []
        for field in self._fields:
            raw = bytes(sent.get(field.key, b"null"))
            if raw != b"null":
                try:
                    values[field.key] = parse_value(field.type, raw)
                except RefusedValueError as refused:
                    errors.append(FieldError(field.key, refused.code, refused.message))
            elif field.key == SOURCE:
                values[SOURCE] = source
            elif field.required:
                errors.append(_missing(field))
        errors += _unknown([key for key in sent if key not in self._keys])
        return errors or self._encode(values)


def _event_type(fields: Sequence[Field]) -> type[msgspec.Struct]:
    """Make a struct with an attribute per field; its names are ours, as a key may be anything."""
    names = {f"f{index}": field for index, field in enumerate(fields)}
    return msgspec.defstruct(
        "Event",
        [_attribute(name, field) for name, field in names.items()],
        rename={name: field.key for name, field in names.items()},
        forbid_unknown_fields=True,
        omit_defaults=True,
        kw_only=True,
        gc=False,
    )


def _attribute(name: str, field: Field) -> tuple[str, Any] | tuple[str, Any, None]:
    type_ = _FAST_TYPES[field.type]
    if field.required and field.key != SOURCE:
        return name, type_
    # `Raw | None` would take nothing but null; a Raw takes null as it is, and _read refuses it.
    return name, type_ if type_ is msgspec.Raw else type_ | None, None


def _read(event: msgspec.Struct, name: str, type_: FieldType) -> None:
    """Replace the raw value of an attribute by what it means; a null, too, is the slow way's."""
    raw = getattr(event, name)
    if raw is None or (type_ is FieldType.DECIMAL and is_written_out(bytes(raw))):
        return
    setattr(event, name, parse_value(type_, bytes(raw)))


def _missing(field: Field) -> FieldError:
    message = f"`{field.key}` is required: send a value of the type {field.type.label}."
    return FieldError(field.key, ErrorCode.REQUIRED, message)


def _unknown(keys: Sequence[str]) -> list[FieldError]:
    message = "This version has no such field: take it out, or add it to the definition."
    errors = [
        FieldError(_shown(key), ErrorCode.UNKNOWN_FIELD, message) for key in keys[:MAX_UNKNOWN]
    ]
    if len(keys) > MAX_UNKNOWN:
        more = f"And {len(keys) - MAX_UNKNOWN:,} more fields that this version does not have."
        errors.append(FieldError("", ErrorCode.UNKNOWN_FIELD, more))
    return errors


def _shown(key: str) -> str:
    # The key is a stranger's, and errors are stored as jsonb, which refuses NUL.
    return key[:MAX_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _unreadable(error: Exception) -> FieldError:
    if isinstance(error, RecursionError):
        return FieldError("", ErrorCode.TOO_DEEP, "The data is nested too deep: send flat values.")
    if isinstance(error, msgspec.ValidationError):
        message = 'The data is not an object: send one like {"source": "Website"}.'
        return FieldError("", ErrorCode.NOT_AN_OBJECT, message)
    message = f"The data is not valid JSON in UTF-8 ({error}): half of an emoji is a usual cause."
    return FieldError("", ErrorCode.MALFORMED, message)
