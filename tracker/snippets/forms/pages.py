"""The forms that are pasted into a page: inline, hosted, and another event."""

from collections.abc import Iterable

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
    beside = [code.attributes_script()] if config.attributes else []
    debug = [code.debug_script()] if config.test else []
    text = code.template("page.html.j2").render(
        comment=html_comment(title(config)),
        nonce=config.nonce,
        debug=_tags(config, debug),
        debug_config=code.debug_config(config),
        scripts=[script, *beside],
        hosted=_tags(config, loaded),
    )
    addresses = [address for address, _ in _tags(config, [*debug, *loaded])]
    csp = (script_sources(config, script, addresses, beside), connections(config))
    return Rendered(text, csp, next((one.integrity for one in (*loaded, *debug)), None))


def _tags(config: SnippetConfig, scripts: Iterable[Script]) -> list[tuple[str, str]]:
    """Address and integrity of each."""
    return [(code.address_of(config, one), one.integrity) for one in scripts]
