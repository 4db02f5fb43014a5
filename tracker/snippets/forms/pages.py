"""The forms that are pasted into a page: inline, hosted, and another event."""

from tracker.snippets import code
from tracker.snippets.code import Script
from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms.form import Rendered, connections, script_sources
from tracker.snippets.texts import html_comment, json_hole, title


def inline(config: SnippetConfig) -> Rendered:
    """One script to paste, which needs nothing else."""
    return _page(config, f"{code.runtime()}({json_hole(config.public)})")


def hosted(config: SnippetConfig) -> Rendered:
    """A registration, and the tag that loads the hosted script."""
    return _page(config, code.registration(config), code.hosted_script())


def event(config: SnippetConfig) -> Rendered:
    """Another event on a page that has a snippet already, before it or after it."""
    return _page(config, code.registration(config))


def _page(config: SnippetConfig, script: str, *loaded: Script) -> Rendered:
    loaded = (*loaded, *code.companions(config))
    addresses = [code.address_of(config, one) for one in loaded]
    hashes = [one.integrity for one in loaded]
    beside = [code.attributes_script()] if config.attributes else []
    text = code.template("page.html.j2").render(
        comment=html_comment(title(config)),
        nonce=config.nonce,
        scripts=[script, *beside],
        hosted=list(zip(addresses, hashes, strict=True)),
    )
    csp = (script_sources(config, script, addresses, beside), connections(config))
    return Rendered(text, csp, hashes[0] if hashes else None)
