"""Pages are declared: address, who may see them, and the function that answers.

A test asks for each with and without the rights, so none can forget to ask.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qs, quote

from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tracker.pages import away, shell
from tracker.pages.visit import MissingError, Visit, csrf_token
from tracker.rules.accounts import Role, role_in
from tracker.stores import absence, accounts, sections
from tracker.stores.database import Borrowed
from tracker.turns import AGAIN, BusyError

COOKIE = "pintag_session"
MAX_FORM = 500_000
"""Bytes of a form: 100 fields with long descriptions are far less."""
PATIENCE = 5.0
"""Seconds that a page waits for a connection to PostgreSQL, before it says that it is away."""
PUBLIC = None
"""The role of pages that need none, as one can't be signed in yet."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: `role` is what its reader must have, in its section if its path names one.

    everywhere: the reader must have the role in all sections, as what is shown is everybody's. own:
    it is about the reader's own account, and takes no role once one is signed in.
    """

    method: str
    path: str
    role: Role | None
    handler: Callable[[Visit], Response]
    everywhere: bool = False
    own: bool = False

    @property
    def route(self) -> Route:
        return Route(self.path, self._serve, methods=[self.method])

    async def _serve(self, request: Request) -> Response:
        body = await _body(request) if self.method == "POST" else b""
        if body is None:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This form is too large.")
        return await run_in_threadpool(self._answer, request, body)

    def _answer(self, request: Request, body: bytes) -> Response:
        try:
            return self._visited(request, body)
        except absence.POSTGRESQL as error:
            # Who is signed in stands there, too.
            if isinstance(error, PoolTimeout) and request.app.state.oversight.overview().database:
                return away.busy(f"PostgreSQL has too much to do. {AGAIN}")
            return away.page("PostgreSQL", self.method)

    def _visited(self, request: Request, body: bytes) -> Response:
        state = request.app.state
        session = request.cookies.get(COOKIE, "")
        with Borrowed(partial(state.pool.connection, PATIENCE)) as borrowed:
            visit = Visit(
                borrowed=borrowed,
                redis=state.redis,
                settings=state.settings,
                oversight=state.oversight,
                path=request.path_params,
                address=request.url.path,
                ip_address=request.client.host if request.client else "",
                origin=state.settings.web_url or str(request.base_url).rstrip("/"),
                query=_values(request.scope["query_string"]),
                form=_values(body),
                now=datetime.now(UTC),
                session=session,
                everywhere=self.everywhere,
            )
            if session:
                visit.account = accounts.of_session(visit.connection, session, visit.now)
            if visit.account is None:
                visit.session = ""
            try:
                refusal = self._refusal(visit, request)
                answer = refusal or self.handler(visit)
            except MissingError as error:
                answer = _refused(visit, HTTPStatus.NOT_FOUND, str(error))
            except BusyError as error:
                answer = away.busy(str(error), visit)
            except absence.REDIS:
                answer = away.page("Redis", self.method, visit)
        for name, value in visit.cookies.items():
            _set_cookie(answer, name, value, secure=request.url.scheme == "https")
        return answer

    def _refusal(self, visit: Visit, request: Request) -> Response | None:
        if self.method == "POST" and (message := self._wrong_form(visit, request)):
            return _refused(visit, HTTPStatus.FORBIDDEN, message)
        if self.role is None:
            return None
        if visit.account is None:
            # As it was sent: what is decoded may name another profile.
            to = request.scope["raw_path"].decode() + f"?{request.url.query}".rstrip("?")
            return RedirectResponse(
                f"/sign-in?to={quote(to)}", HTTPStatus.SEE_OTHER, headers=shell.HEADERS
            )
        if "section" in visit.path:
            self._enter(visit, visit.path["section"])
        if not self.own and not visit.may(self.role):
            of = " of all sections" if self.everywhere else ""
            message = f"This takes the role of {_ARTICLES[self.role]}{of}."
            return _refused(visit, HTTPStatus.FORBIDDEN, message)
        return None

    def _wrong_form(self, visit: Visit, request: Request) -> str:
        """Why a form is not taken, empty where it is."""
        if not self._is_ours(visit, request):
            return "This form came from elsewhere."
        if self.role is None:
            return ""
        if visit.account is None:
            return _SIGNED_OUT
        return "" if visit.get("csrf") == csrf_token(visit.session) else _SIGNED_IN_AGAIN

    def _is_ours(self, visit: Visit, request: Request) -> bool:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        # A web server before us may pass the Host header on, or not.
        hosts = (request.headers.get("host"), visit.origin.partition("://")[2])
        return origin is None or origin.partition("://")[2] in hosts

    def _enter(self, visit: Visit, slug: str) -> None:
        found = {one.slug: one for one in sections.every(visit.connection)}.get(slug)
        role = role_in(visit.who.roles, found.id) if found else None
        if found is None or role is None:
            raise MissingError(f"There is no section {slug!r} that you may see.")
        visit.section_, visit.role = found, role


_SIGNED_OUT = (
    "Nothing was saved: you are signed out, for example since you were away for a week, or chose "
    "another password. Sign in in another tab. What you typed is still one page back; copy it from "
    "there into a form that you open anew."
)
_SIGNED_IN_AGAIN = (
    "Nothing was saved: you have signed in again since this form was opened. What you typed is "
    "still one page back; copy it from there into a form that you open anew."
)
_ARTICLES = {Role.VIEWER: "a viewer", Role.EDITOR: "an editor", Role.OWNER: "an owner"}


def _refused(visit: Visit, status: HTTPStatus, message: str) -> Response:
    return visit.render("refused.html", status, head=shell.HEADS[status], message=message)


def _values(text: bytes) -> dict[str, list[str]]:
    return parse_qs(text.decode("utf-8", "replace"), keep_blank_values=True)


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            return None
    return body


def _set_cookie(answer: Response, name: str, value: str, secure: bool) -> None:
    if value:
        age = 30 * 86_400
        answer.set_cookie(name, value, age, secure=secure, httponly=True, samesite="lax")
    else:
        answer.delete_cookie(name)


def _plain(status: int, text: str) -> Response:
    return Response(text, status, headers=shell.HEADERS, media_type="text/plain")
