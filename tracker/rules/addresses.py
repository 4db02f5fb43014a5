"""Addresses of pages, as hits carry them: written by strangers, so anything may be in them."""

from urllib.parse import urlsplit

MAX_SHOWN = 500
"""Characters of an address that are shown."""


def origin_and_path(url: str) -> str:
    """A page's address without query, fragment and user; what is no web address, up to them."""
    text = url.partition("#")[0].partition("?")[0]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return text[:MAX_SHOWN]
    if parts.scheme not in ("http", "https") or not host:
        return text[:MAX_SHOWN]
    host = f"[{host}]" if ":" in host else host
    end = f":{port}" if port else ""
    return f"{parts.scheme}://{host}{end}{parts.path or '/'}"[:MAX_SHOWN]
