"""What a form of a snippet is."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tracker.snippets.config import SnippetConfig


@dataclass(frozen=True, slots=True)
class Rendered:
    """A form, ready to paste; csp: the directives that a strict content security policy needs for
    it; integrity: the hash of the one script file that it has or loads, None where there is none.
    """

    text: str
    csp: tuple[str, ...] = ()
    integrity: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """title: for people who choose on a page; summary: one line for them; suffix: of the file to
    keep it in; usage: what to do with it, with places for `{slug}` and `{suffix}`; call: what the
    JavaScript that sends an event begins with, "" where the form itself has it.
    """

    title: str
    suffix: str
    summary: str
    usage: str
    render: Callable[[SnippetConfig], Rendered]
    call: str = ""


def script_sources(
    config: SnippetConfig,
    inline: str | None = None,
    addresses: Iterable[str] = (),
    also_inline: Iterable[str] = (),
) -> str:
    """The directive that lets scripts run: by the page's nonce, else by hash and address."""
    sources = list(addresses)
    if config.nonce is not None:
        sources = [f"'nonce-{config.nonce}'"]
    else:
        scripts = [] if inline is None else [inline, *also_inline]
        sources = [_source_hash(script) for script in scripts] + sources
    return " ".join(["script-src", *sources])


def _source_hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def connections(config: SnippetConfig) -> str:
    """The directive that lets hits out."""
    return f"connect-src {config.origin}"
