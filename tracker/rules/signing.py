"""Signatures that a section's own servers make, and everybody else can't.

HMAC-SHA256 over lines that are joined by newlines; the first one says what is signed.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import NamedTuple


class Secrets(NamedTuple):
    """A section's signing secret, and the one before it, which is good for what comes before then.

    earlier: "" for none; until_ms: in Unix ms.
    """

    present: str
    earlier: str = ""
    until_ms: int = 0

    def good(self, received_ms: int) -> Iterator[str]:
        """Those by which a hit may be signed that was received at this time."""
        yield self.present
        if self.earlier and received_ms < self.until_ms:
            yield self.earlier

    def written(self) -> str:
        """As it is kept: the secret alone, or all three in lines."""
        return "\n".join(map(str, self)) if self.earlier else self.present


def read_secrets(text: str) -> Secrets:
    """Secrets as they were `written`."""
    present, _, rest = text.partition("\n")
    earlier, _, until_ms = rest.partition("\n")
    return Secrets(present, earlier, int(until_ms or 0))


def signature(secret: str, *lines: str | int) -> str:
    """In lower hexadecimal. Only the last line may hold newlines, or two texts would be one."""
    message = "\n".join(map(str, lines))
    return hmac.digest(secret.encode(), message.encode(), hashlib.sha256).hex()


def is_same(expected: str, sent: str) -> bool:
    """Whether a signature is the expected one, in a time that tells nothing about it."""
    return hmac.compare_digest(expected.encode(), sent.lower().encode())
