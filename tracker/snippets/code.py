"""The browser code of snippet_templates/, and the scripts that the collector hosts."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from tracker.snippets.config import SnippetConfig
from tracker.snippets.texts import json_hole

_CONFIG_CALL = "(PINTAG_CONFIG)"


@dataclass(frozen=True, slots=True)
class Script:
    """A hosted script: `<scripts path>/{hash}.js` has this body for good."""

    hash: str
    integrity: str
    body: str


@cache
def hosted_script() -> Script:
    """The hosted script of this release, the same for every event and installation."""
    loader = _code("hosted.min.js").replace("PINTAG_RUNTIME", runtime())
    return _script(f"{loader}\n{attributes_script()}")


@cache
def debug_script() -> Script:
    """What test snippets load before all else: it says in the console what is wrong with a call."""
    return _script(_code("debug.min.js").replace("PINTAG_VERDICT", verdict_code()))


def verdict_code() -> str:
    """The verdict on data as a JavaScript expression: the head of verdict.js says of what shape."""
    return _code("verdict.min.js")


def debug_config(config: SnippetConfig) -> str:
    """What the tag of the debug script carries: the head of debug.js says what each part means."""
    fields = [[field.key, field.type, field.required] for field in config.fields]
    return json_hole(config.public | {"v": config.version_number, "f": fields})


def hosted_scripts() -> tuple[Script, ...]:
    """All scripts of this release that snippets load from the collector."""
    return (hosted_script(), debug_script())


def address_of(config: SnippetConfig, script: Script) -> str:
    """Where the collector has a hosted script."""
    return f"{config.collector_url}{config.scripts_path}/{script.hash}.js"


def integrity_of(text: str) -> str:
    """The hash of a file for Subresource Integrity."""
    return "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()


@cache
def runtime() -> str:
    """The runtime as an expression: a function that takes one snippet's configuration."""
    return _code("runtime.min.js").removesuffix(_CONFIG_CALL)


def attributes_script() -> str:
    """The script for `data-pintag-*` attributes; it needs no more of a runtime than `pintag`."""
    return _code("attributes.min.js")


def registration(config: SnippetConfig) -> str:
    """The code that tells a page's runtime of a snippet, or notes it until there is one."""
    return _code("stub.min.js").removesuffix(_CONFIG_CALL) + f"({json_hole(config.public)})"


@cache
def template(name: str) -> Template:
    """A template of snippet_templates/."""
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=False,  # noqa: S701 -- most is no HTML; what is, has the filter `e`
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    return environment.get_template(name)


@cache
def _script(body: str) -> Script:
    return Script(hashlib.sha256(body.encode()).hexdigest()[:16], integrity_of(body), body)


@cache
def _code(name: str) -> str:
    return _read(name).rstrip("\n")


def _read(name: str) -> str:
    return files("snippet_templates").joinpath(name).read_text(encoding="utf-8")
