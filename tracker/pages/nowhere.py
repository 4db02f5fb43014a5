"""What is answered at an address where there is nothing, to somebody with a browser."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from tracker.pages import shell
from tracker.pages.away import NOBODY


def reads_pages(request: Request) -> bool:
    """Whether HTML is asked for, as browsers do, and programs don't."""
    return "text/html" in request.headers.get("accept", "")


def page() -> Response:
    """404, with a way on."""
    status, message = HTTPStatus.NOT_FOUND, "There is no page at this address."
    values = {"head": shell.HEADS[status], "message": message}
    return shell.page("refused.html", status, {}, **NOBODY, **values)
