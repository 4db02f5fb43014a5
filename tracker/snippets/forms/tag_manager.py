"""The form for Google Tag Manager: a custom template, as its editor exports and imports them.

A .tpl file is a row of named sections, most of them JSON. The sandboxed code sees the parameters
as `data`; each field has one, named by the field's id, so that a tag keeps its settings when a
later version of the event renames the field.
"""

import json
from html import escape
from typing import Any

from tracker.rules.fields import Field
from tracker.rules.validation import SOURCE
from tracker.snippets import code
from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms.form import Rendered, connections, script_sources
from tracker.snippets.texts import json_hole, one_line, title

_STRING, _LIST, _MAP, _BOOLEAN = 1, 2, 3, 8
"""Tag Manager's numbers for the types of its values."""


def gtm(config: SnippetConfig) -> Rendered:
    """A template to import; each of its tags sends the event when it fires."""
    script = code.hosted_script()
    address = code.address_of(config, script)
    text = code.template("gtm.tpl.j2").render(
        info=_json(_info(config)),
        parameters=_json([_parameter(field) for field in config.fields]),
        comment=_apart(one_line(title(config))),
        config=_apart(json_hole(config.public)),
        slug=_apart(json_hole(config.slug)),
        fields=_apart(json_hole([[field.id, field.key] for field in config.fields])),
        address=_apart(json_hole(address)),
        permissions=_json(
            [_inject(address), _globals(pintag="read write execute", **{"pintag.q": "read write"})]
        ),
    )
    csp = (script_sources(config, addresses=[address]), connections(config))
    return Rendered(text, csp)


def _info(config: SnippetConfig) -> dict[str, Any]:
    return {
        "type": "TAG",
        "id": "cvt_temp_public_id",
        "version": 1,
        "securityGroups": [],
        "displayName": f"Pintag: {config.event_name}",
        "brand": {"id": "brand_dummy", "displayName": ""},
        "description": config.description,
        "containerContexts": ["WEB"],
    }


def _parameter(field: Field) -> dict[str, Any]:
    # Tag Manager shows both texts as HTML.
    needed = field.required and field.key != SOURCE
    parameter: dict[str, Any] = {
        "type": "TEXT",
        "name": field.id,
        "displayName": escape(field.label, quote=False),
        "simpleValueType": True,
        "help": escape(f"{field.type.label}. {field.description}".strip(), quote=False),
    }
    if needed:
        parameter["valueValidators"] = [{"type": "NON_EMPTY"}]
    return parameter


def _inject(address: str) -> dict[str, Any]:
    return _permission("inject_script", "urls", [{"type": _STRING, "string": address}])


def _globals(**rights: str) -> dict[str, Any]:
    words = ("read", "write", "execute")
    keys = [{"type": _STRING, "string": word} for word in ("key", *words)]
    entries = []
    for name, given in rights.items():
        flags = [{"type": _BOOLEAN, "boolean": word in given.split()} for word in words]
        values = [{"type": _STRING, "string": name}, *flags]
        entries.append({"type": _MAP, "mapKey": keys, "mapValue": values})
    return _permission("access_globals", "keys", entries)


def _permission(name: str, key: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    value = {"type": _LIST, "listItem": items}
    return {
        "instance": {
            "key": {"publicId": name, "versionId": "1"},
            "param": [{"key": key, "value": value}],
        },
        "clientAnnotations": {"isEditedByUser": True},
        "isRequired": True,
    }


def _json(value: object) -> str:
    """Indented, as Tag Manager exports it, with json_hole's escapes."""
    text = json.dumps(value, ensure_ascii=True, indent=2)
    for character in "&<>":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _apart(text)


def _apart(text: str) -> str:
    """The text without the underscores that would begin a section, in a string or a comment."""
    return text.replace("___", "\\u005f__")
