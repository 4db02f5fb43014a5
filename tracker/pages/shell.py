"""Templates, and the headers of every page."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from tracker.pages import paths

HERE = Path(__file__).parent
HEADS = {HTTPStatus.NOT_FOUND: "Not found", HTTPStatus.FORBIDDEN: "Not allowed"}
"""Of pages that only say why there is nothing else to see."""
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""The Content-Security-Policy of all pages: no inline script or style, nothing from elsewhere."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["key_in_path"] = paths.from_key


def page(template: str, status: int, more: Mapping[str, str], **values: object) -> Response:
    """A rendered template; `more` are sources to let in besides those of POLICY."""
    policy = (f"{name} {value} {more.get(name, '')}".strip() for name, value in POLICY.items())
    headers = {**HEADERS, "Content-Security-Policy": "; ".join(policy)}
    return HTMLResponse(text(template, **values), status, headers)


def text(template: str, **values: object) -> str:
    """What a template says: HTML, with all values escaped."""
    return _templates.get_template(template).render(**values)
