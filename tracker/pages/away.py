"""What a page answers while a server is away or busy: calmly, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from tracker.pages import shell
from tracker.pages.visit import Visit
from tracker.turns import AGAIN_SECONDS

_MEANWHILE = {
    "PostgreSQL": "Hits are taken all the same: they wait in the queue until it is back.",
    "Redis": "The collector takes no hits meanwhile: snippets keep them, and send them again.",
}
"""By server: what becomes of hits."""
NOBODY: dict[str, object] = {
    "account": None,
    "section": None,
    "said": None,
    "here": "",
    "redis_is_away": False,
}
"""The frame of a page where nobody can be asked who is signed in."""


def page(server: str, method: str, visit: Visit | None = None) -> Response:
    """503, with whose page it is if that is known; of a form, nobody knows how far it went."""
    values = {"server": server, "meanwhile": _MEANWHILE[server], "sent": method == "POST"}
    return _unavailable("away.html", visit, values)


def busy(message: str, visit: Visit | None = None) -> Response:
    """503: too many ask at once, and nothing was done."""
    return _unavailable("busy.html", visit, {"message": message})


def _unavailable(template: str, visit: Visit | None, values: Mapping[str, object]) -> Response:
    frame = visit.frame() if visit else NOBODY
    answer = shell.page(template, HTTPStatus.SERVICE_UNAVAILABLE, {}, **frame, **values)
    answer.headers["Retry-After"] = str(AGAIN_SECONDS)
    return answer
