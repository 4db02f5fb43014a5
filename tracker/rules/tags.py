"""Signed tags: in the address that hits are sent to, proof that the section's own server served
the page.

A tag is `<expires>.<signature>`, with `expires` in Unix seconds. It is good for one snippet, and
says nothing about who the visitor is: that is a claim's work.
"""

import re

from tracker.rules import signing
from tracker.rules.claims import Trust
from tracker.rules.errors import ErrorCode, FieldError

_TAG = re.compile(r"([0-9]{1,12})\.([0-9A-Fa-f]{64})")


def sign(secret: str, section: str, key: str, expires: int) -> str:
    """The tag for the snippet with this key; `section` is the section's slug."""
    return f"{expires}.{_signature(secret, section, key, expires)}"


def error(tag: str, trust: Trust, key: str, received_ms: int) -> FieldError | None:
    """What is wrong with a tag (empty: there is none). It expires by the hit's receipt."""
    if not tag:
        return _error(ErrorCode.REQUIRED, "The address that it was sent to has no tag.")
    parts = _TAG.fullmatch(tag)
    if parts is None:
        message = "A tag is <expires>.<signature>: Unix seconds, and 64 hexadecimal digits."
        return _error(ErrorCode.BAD_FORMAT, message)
    if not _is_signed(parts[1], parts[2], trust, key, received_ms):
        return _error(ErrorCode.BAD_SIGNATURE, "It isn't the section's, for this snippet.")
    if received_ms >= int(parts[1]) * 1000:
        message = f"It expired at {parts[1]} (Unix seconds); the hit came later."
        return _error(ErrorCode.EXPIRED, message)
    return None


def _is_signed(expires: str, sent: str, trust: Trust, key: str, received_ms: int) -> bool:
    return any(
        signing.is_same(_signature(secret, trust.slug, key, expires), sent)
        for secret in trust.good(received_ms)
    )


def _signature(secret: str, section: str, key: str, expires: int | str) -> str:
    return signing.signature(secret, "pintag-tag-v1", section, key, expires)


def _error(code: ErrorCode, message: str) -> FieldError:
    return FieldError("tag", code, message)
