"""Reads rendered snippets back, as a browser's parser would."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Script:
    """A script element: its attributes and its text."""

    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page:
    """All that a snippet put into a page; `text` should be nothing but white space."""

    comments: list[str] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append(tag)
        if tag == "img":
            self.page.images.append(dict(attrs))
        if tag == "script":
            self._in_script = True
            self.page.scripts.append(Script(dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_comment(self, data: str) -> None:
        self.page.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.page.scripts[-1].text += data
        else:
            self.page.text += data


def read(html: str) -> Page:
    """The parsed page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def inline_config(html: str) -> Any:
    """The configuration in an inline snippet's hole."""
    (script,) = read(html).scripts
    assert script.text.endswith("})")
    hole = script.text[script.text.rindex("})({") + 3 : -1]
    return json.loads(hole)


def registered_config(html: str) -> Any:
    """The configuration that a hosted snippet, or that of another event, registers."""
    text = next(one.text for one in read(html).scripts if "src" not in one.attributes)
    assert text.endswith("})")
    return json.loads(text[text.rindex("pintag)({") + 8 : -1])
