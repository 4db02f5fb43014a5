"""Keys of identifiers in addresses: anybody chooses them, and each has to lead to its profile.

Browsers and web servers resolve `..`, `%2e%2e` and `%2F` in paths before a page sees them. So what
they would take for more than text is encoded twice; all else looks as usual.
"""

from urllib.parse import quote, unquote


def from_key(key: str) -> str:
    """A key as a part of a path."""
    inner = key.replace("%", "%25").replace("/", "%2F")
    if inner in (".", ".."):
        inner = inner.replace(".", "%2E")
    return quote(inner)


def to_key(part: str) -> str:
    """The key that the server found in a path, which has been decoded once."""
    return unquote(part)
