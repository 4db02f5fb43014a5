"""Renders the snippets of a version: pure functions from a configuration to HTML.

What a marketer typed (event names, sources) ends up in the pages of others, so nothing that
goes into a template can leave its place there: see json_hole and _comment.
"""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812 -- `date` is a field here
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

_CONFIG_CALL = "(PINTAG_CONFIG)"
VISITOR_DAYS = 395
"""How long a visitor id is good unless its section says otherwise: 13 months, the longest that the
French regulator's guidelines on trackers (CNIL, 2020-091, article 5) let audience figures keep one.
"""


@dataclass(frozen=True, slots=True)
class SnippetConfig:
    """All that a snippet is rendered from; usable_from: of a version that can't be used yet.

    consent, signals, visitor_days: the section's rules; test: a snippet for trying out.
    """

    collector_url: str
    key: str
    slug: str
    event_name: str
    version_number: int
    date: Date
    source: str | None = None
    usable_from: datetime | None = None
    consent: bool = False
    signals: bool = True
    visitor_days: int = VISITOR_DAYS
    test: bool = False
    hits_path: str = "/v1"
    scripts_path: str = "/s"

    @property
    def public(self) -> dict[str, Any]:
        """What the runtime registers; the head of runtime.js says what each part means."""
        address = f"{self.collector_url}{self.hits_path}/{self.key}"
        config: dict[str, Any] = {"u": f"{address}?test" if self.test else address, "n": self.slug}
        if self.source is not None:
            config["s"] = self.source
        if self.consent or not self.signals:
            config["c"] = int(self.consent)
        if self.visitor_days != VISITOR_DAYS:
            config["l"] = self.visitor_days
        return config


@dataclass(frozen=True, slots=True)
class Script:
    """The hosted script: `<scripts path>/{hash}.js` has this body for good."""

    hash: str
    integrity: str
    body: str


def render_inline(config: SnippetConfig) -> str:
    """One script to paste, which needs nothing else."""
    return _template("inline.html.j2").render(
        comment=_comment(config), runtime=_runtime(), config=json_hole(config.public)
    )


def render_hosted(config: SnippetConfig) -> str:
    """A stub that keeps calls, and the tag that loads the hosted script."""
    script = hosted_script()
    return _template("hosted.html.j2").render(
        comment=_comment(config),
        stub=_code("stub.min.js"),
        src=f"{config.collector_url}{config.scripts_path}/{script.hash}.js",
        integrity=script.integrity,
        config=json_hole(config.public),
    )


@cache
def hosted_script() -> Script:
    """The hosted script of this release, the same for every event and installation."""
    body = _code("hosted.min.js").replace("PINTAG_RUNTIME", _runtime())
    data = body.encode()
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()
    return Script(hashlib.sha256(data).hexdigest()[:16], integrity, body)


def json_hole(value: object) -> str:
    """JSON that can stand in a script, in pure ASCII: it can neither end nor comment it.

    In an attribute it must be HTML-escaped besides.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def gzip_size(text: str) -> int:
    """How many bytes a page's visitors load for this, as `gzip -9` has it."""
    return len(gzip.compress(text.encode(), 9, mtime=0))


def _comment(config: SnippetConfig) -> str:
    """Event, version and date, or from when it can be used.

    No `<` and `>`, and no `--`, which would end an XML comment.
    """
    name = config.event_name.encode("utf-8", "replace").decode()
    name = re.sub(r"[\x00-\x20\x7f-\x9f]+", " ", name).replace("--", "- -").replace("--", "- -")
    name = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    date = config.date.isoformat()
    if config.usable_from is not None:
        date = f"usable from {config.usable_from.astimezone(UTC):%F %R}Z"
    return f"{name}, version {config.version_number}, {date}"


@cache
def _runtime() -> str:
    """The runtime as an expression: a function that takes one snippet's configuration."""
    return _code("runtime.min.js").removesuffix(_CONFIG_CALL)


@cache
def _code(name: str) -> str:
    return _read(name).rstrip("\n")


def _read(name: str) -> str:
    return files("snippet_templates").joinpath(name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=False,  # noqa: S701 -- scripts are no HTML; what is one has the filter `e`
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
