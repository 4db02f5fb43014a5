"""What each form of a snippet weighs, and whether those with a budget keep to it."""

from dataclasses import replace
from datetime import date

from benchmarks.figures import Report
from benchmarks.stack import BenchmarkError
from tracker.rules.fields import Field, FieldType
from tracker.snippets.code import attributes_script, debug_script, hosted_script
from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms import FormName, render
from tracker.snippets.texts import gzip_size

SAMPLE = SnippetConfig(
    collector_url="https://collect.example.com",
    key="Zk3vQ8sLr2TnXw5yBd7c",
    slug="newsletter-signup",
    event_name="Newsletter signup",
    version_number=3,
    date=date(2026, 11, 23),
    fields=(
        Field("fld_1", "source", "Source", FieldType.TEXT, True),
        Field("fld_2", "stage", "Stage", FieldType.TEXT, True, "How far they came"),
        Field("fld_3", "price", "Price", FieldType.DECIMAL),
        Field("fld_4", "seats", "Seats", FieldType.INTEGER),
        Field("fld_5", "member", "Member", FieldType.BOOLEAN),
        Field("fld_6", "birthday", "Birthday", FieldType.DATE),
        Field("fld_7", "signed-at", "Signed at", FieldType.TIMESTAMP),
    ),
)
OTHER = replace(SAMPLE, event_name="Contact form", slug="contact-form", key="Qp7mT2xWc9LrHn4vKs8d")
ADDED = "event, added to a page"
BUDGETS = {FormName.INLINE: 1_500, FormName.EVENT: 250, ADDED: 250}
"""Bytes, gzipped; DESIGN.md, 7, and issue 4, 9."""


def sizes() -> dict[str, dict[str, float]]:
    """Bytes as they are and as `gzip -9` leaves them, of forms and of the scripts they load."""
    texts: dict[str, str] = {form: render(SAMPLE, form).text for form in FormName}
    texts["the hosted script"] = hosted_script().body
    texts["the script for attributes"] = attributes_script()
    texts["the debug script"] = debug_script().body
    found = {name: _weighed(text) for name, text in texts.items()}
    page, other = texts[FormName.INLINE], render(OTHER, FormName.EVENT).text
    found[ADDED] = {
        name: size - found[FormName.INLINE][name] for name, size in _weighed(page + other).items()
    }
    return found


def measure(report: Report) -> None:
    """Report the sizes. Raises BenchmarkError if one is over its budget."""
    found = sizes()
    for name, figures in found.items():
        report.add(name, figures)
    for name, budget in BUDGETS.items():
        if found[name]["gzip_bytes"] > budget:
            size = f"{found[name]['gzip_bytes']:,.0f}"
            raise BenchmarkError(f"{name} has {size} bytes gzipped, and may have {budget:,}.")


def _weighed(text: str) -> dict[str, float]:
    return {"bytes": len(text.encode()), "gzip_bytes": gzip_size(text)}
