"""How answers and the command line write JSON: by orjson, with decimals as exact numbers."""

from decimal import Decimal

import msgspec
import orjson


def dumps(content: object, *, indent: bool = False) -> bytes:
    """JSON of plain values, structs, times, UUIDs and decimals; no decimal passes a float."""
    option = orjson.OPT_INDENT_2 if indent else 0
    return orjson.dumps(content, default=_plain, option=option)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    raise TypeError(f"JSON has no {type(value).__name__}")
