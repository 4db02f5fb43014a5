"""Signatures that a section's own servers make, and everybody else can't.

HMAC-SHA256 over lines that are joined by newlines; the first one says what is signed.
"""

import hashlib
import hmac


def signature(secret: str, *lines: str | int) -> str:
    """In lower hexadecimal. Only the last line may hold newlines, or two texts would be one."""
    message = "\n".join(map(str, lines))
    return hmac.digest(secret.encode(), message.encode(), hashlib.sha256).hex()


def is_same(expected: str, sent: str) -> bool:
    """Whether a signature is the expected one, in a time that tells nothing about it."""
    return hmac.compare_digest(expected.encode(), sent.lower().encode())
