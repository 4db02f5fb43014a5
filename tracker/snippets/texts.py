"""Puts what people typed into code, so that it can't leave its place there."""

import gzip
import json
import re
from datetime import UTC

from tracker.snippets.config import SnippetConfig

# Control characters and ends of lines, and those that show text in another order than it has:
# a comment must look like what it is to whoever reviews a snippet.
_NO_LINE = re.compile("[\x00-\x20\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def json_hole(value: object) -> str:
    """JSON that can stand in a script, in pure ASCII: it can neither end nor comment it.

    In an attribute it must be HTML-escaped besides.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def one_line(text: str) -> str:
    """The text on one line, as valid UTF-8, for a comment that ends with its line."""
    return _NO_LINE.sub(" ", text.encode("utf-8", "replace").decode()).strip()


def html_comment(text: str) -> str:
    """One line that can stand in an HTML comment: no `<`, no `>`, no `--`, which XML forbids."""
    line = one_line(text).replace("--", "- -").replace("--", "- -")
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def doc_comment(text: str) -> str:
    """One line that can stand in a JSDoc comment: it neither ends it nor makes tags or links."""
    return one_line(text).replace("*/", "* /").replace("@", "&#64;")


def title(config: SnippetConfig) -> str:
    """Event, version and date, or from when it can be used: what each form's comment begins with.

    As it was typed: the caller makes a comment of it.
    """
    date = config.date.isoformat()
    if config.usable_from is not None:
        date = f"usable from {config.usable_from.astimezone(UTC):%F %R}Z"
    return f"Pintag: {config.event_name}, version {config.version_number}, {date}"


def gzip_size(text: str) -> int:
    """How many bytes a page's visitors load for this, as `gzip -9` has it."""
    return len(gzip.compress(text.encode(), 9, mtime=0))
