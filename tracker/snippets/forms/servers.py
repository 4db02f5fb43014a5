"""The forms for servers: one call of the same event, with curl and in Python."""

import json
import shlex
from collections.abc import Iterator

from tracker.rules.fields import Field
from tracker.rules.validation import SOURCE
from tracker.snippets import code
from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import examples
from tracker.snippets.forms.form import Rendered
from tracker.snippets.texts import one_line, title

_SOURCE = "Server"


def curl(config: SnippetConfig) -> Rendered:
    """Lines for a POSIX shell."""
    data = examples(config, _SOURCE)
    pairs = [f"{_json(key)}: {_json(value)}" for key, value in data.items()]
    text = code.template("curl.sh.j2").render(
        comment=one_line(title(config)),
        fields=[f"{one_line(field.key)}: {_about(field)}" for field in config.fields],
        address=shlex.quote(config.address.encode("utf-8", "replace").decode().replace("\0", "")),
        data=",\n  ".join(pairs),
    )
    return Rendered(text)


def python(config: SnippetConfig) -> Rendered:
    """A file that can be run, or imported for its `send`; it needs the standard library only."""
    text = code.template("server.py.j2").render(
        comment=one_line(title(config)),
        address=ascii(config.address),
        data=list(_entries(config)),
    )
    return Rendered(text)


def _entries(config: SnippetConfig) -> Iterator[tuple[str, str, str]]:
    values = examples(config, _SOURCE)
    for field in config.fields:
        yield ascii(field.key), ascii(values[field.key]), _about(field)


def _about(field: Field) -> str:
    needed = "" if field.required and field.key != SOURCE else ", can be left out"
    return f"{one_line(field.label)}, {field.type.label}{needed}"


def _json(value: object) -> str:
    """JSON for a string in a shell's single quotes, which end with the next one."""
    return json.dumps(value, ensure_ascii=True).replace("'", "\\u0027")
