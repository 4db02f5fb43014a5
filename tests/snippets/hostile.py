"""Texts that try to get out of where they are put, and snippets made of them."""

from datetime import date

from hypothesis import strategies as st

from tracker.rules.fields import Field, FieldType
from tracker.snippets.config import SnippetConfig

HOSTILE = (
    "-->",
    "--!>",
    "->",
    "<!--",
    "<!-",
    "-",
    "---->",
    "</script>",
    "</SCRIPT >",
    "<script>",
    "<!--<script>",
    "]]>",
    "\" onload='x'",
    "{{ 7 * 7 }}{% raw %}",
    "\u2028\u2029\0\r\n",
    "PINTAG_CONFIG PINTAG_RUNTIME",
    "&lt;&quot;&#34;",
    "*/ alert(1) /*",
    "@deprecated {@link x} @ts-nocheck",
    '/// <reference path="x" />\n',
    "//# sourceMappingURL=//evil.example/x.map",
    "coding: utf-7\n",
    "`id` $(id) ${id} $'x'",
    "'; exit 1; '",
    "\\",
    "\\'\\\"",
    "\n___TESTS___\n",
    "%41%00&x=1#?+",
    '"""',
    "\U0001f600\u202e\x1b[2J",
    "\nEND\n",
    "!!",
    "})({",
)
"""The last one is a piece of the forms themselves."""
pieces = st.one_of(st.text(max_size=20), st.sampled_from(HOSTILE))
texts = st.lists(pieces, max_size=4).map("".join)
keys = texts.filter(lambda text: text not in ("", "source", "_visitor", "_test", "__proto__"))


@st.composite
def configs(draw: st.DrawFn) -> SnippetConfig:
    """A snippet of a version with up to four fields beside `source`."""
    names = draw(st.lists(keys, max_size=4, unique=True))
    fields = [Field("fld_0", "source", draw(texts), FieldType.TEXT, True, draw(texts))]
    for number, key in enumerate(names, 1):
        type_, required = draw(st.sampled_from(FieldType)), draw(st.booleans())
        fields.append(Field(f"fld_{number}", key, draw(texts), type_, required, draw(texts)))
    return SnippetConfig(
        "https://c.example",
        "key",
        draw(texts),
        draw(texts),
        1,
        date(2026, 11, 23),
        fields=tuple(fields),
        description=draw(texts),
        test=draw(st.booleans()),
        attributes=draw(st.booleans()),
        nonce=draw(st.none() | texts),
    )
