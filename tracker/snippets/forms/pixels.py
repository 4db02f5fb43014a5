"""The form for mails and pages without scripts: an image."""

import json
from urllib.parse import quote

from tracker.rules.fields import Field
from tracker.rules.validation import SOURCE
from tracker.snippets import code
from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import examples
from tracker.snippets.forms.form import Rendered
from tracker.snippets.texts import html_comment, title

VISITOR = "VISITOR"
_SOURCE = "Mail"


def pixel(config: SnippetConfig) -> Rendered:
    """One request of the image is one hit; what is in capitals is the sender's to fill in."""
    own = {"_visitor": VISITOR} | ({"_test": ""} if config.test else {})
    values = {field.key: _placeholder(field) for field in config.fields if field.key != SOURCE}
    query = own | {SOURCE: _SOURCE} | values
    parts = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items()]
    address = f"{config.collector_url}{config.hits_path}/{config.key}.gif?{'&'.join(parts)}"
    text = code.template("pixel.html.j2").render(
        title=html_comment(title(config)),
        fields=[html_comment(line) for line in _explained(config)],
        address=address,
    )
    return Rendered(text, (f"img-src {config.origin}",))


def _placeholder(field: Field) -> str:
    # A dash would be taken for the end of a comment; a dot is in no key.
    return f"VALUE_{field.key.replace('-', '.')}"


def _explained(config: SnippetConfig) -> list[str]:
    values = examples(config, _SOURCE)
    return [
        f"{_placeholder(field)}: {field.label}, such as {json.dumps(values[field.key])}"
        + ("" if field.required else "; take it out if there is none")
        for field in config.fields
        if field.key != SOURCE
    ]
