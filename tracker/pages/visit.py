"""One request for a page: who asks, what for, and what the answer can be made of."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote

import psycopg
import redis
from starlette.responses import RedirectResponse, Response

from tracker.actions.overseeing import Oversight
from tracker.pages import shell
from tracker.rules.accounts import Role, role_in
from tracker.settings import Settings
from tracker.stores import absence, accounts, audit_log, sections
from tracker.stores.accounts import Account
from tracker.stores.database import Borrowed
from tracker.stores.sections import Section

T = TypeVar("T")
Values = Mapping[str, Sequence[str]]
"""Of a query or a form: all values of each name, in their order."""


class MissingError(Exception):
    """There is no such thing, or this person is not to know of it; the message says what."""


@dataclass(slots=True)
class Visit:
    """What a page's handler gets: it runs in a thread of its own, on a connection of its own,
    which it can give back meanwhile.

    ip_address: the browser's, or its proxy's that is not trusted; origin: scheme, host and port by
    which the browser reaches us, for links that leave the pages; account and session: of whoever is
    signed in; section and role: of pages in a section; everywhere: it is about the whole
    installation; redis_is_away: so it was found, and the page says so.
    """

    borrowed: Borrowed
    redis: redis.Redis
    settings: Settings
    oversight: Oversight
    path: Mapping[str, str]
    address: str
    ip_address: str
    origin: str
    query: Values
    form: Values
    now: datetime
    session: str = ""
    account: Account | None = None
    section_: Section | None = None
    role: Role | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    everywhere: bool = False
    redis_is_away: bool = False

    @property
    def connection(self) -> psycopg.Connection:
        return self.borrowed.connection

    @property
    def section(self) -> Section:
        """The section that the page is in; pages outside have none."""
        assert self.section_ is not None
        return self.section_

    @property
    def section_id(self) -> int | None:
        """The section's, None for pages outside."""
        return self.section_.id if self.section_ else None

    @property
    def root(self) -> str:
        """The address that all pages of the section begin with; nothing outside of sections."""
        return f"/sections/{quote(self.section_.slug)}" if self.section_ else ""

    @property
    def who(self) -> Account:
        """Who is signed in; public pages can't ask."""
        assert self.account is not None
        return self.account

    def get(self, name: str, default: str = "") -> str:
        """The last value of a name in the form, or else the query."""
        return (self.form.get(name) or self.query.get(name) or [default])[-1]

    def may(self, role: Role) -> bool:
        """Whether this person may do what the role may: in this section or, outside, in any; or in
        all, where the page is about all.
        """
        if self.everywhere:
            return self.may_everywhere(role)
        if self.section_ is None:
            return self.account is not None and any(
                own.includes(role) for own in self.account.roles.values()
            )
        return self.role is not None and self.role.includes(role)

    def may_everywhere(self, role: Role) -> bool:
        """Whether this person has the role over the whole installation."""
        own = self.account.roles.get(None) if self.account else None
        return own is not None and own.includes(role)

    def sections(self) -> list[Section]:
        """The sections that this person sees."""
        if self.account is None:
            return []
        roles = self.account.roles
        return [s for s in sections.every(self.connection) if role_in(roles, s.id)]

    def render(
        self,
        template: str,
        status: int = HTTPStatus.OK,
        sources: Mapping[str, str] = MappingProxyType({}),
        **values: object,
    ) -> Response:
        """A page, in its frame; sources: what its policy lets in besides."""
        return shell.page(template, status, sources, **{**self.frame(), **values})

    def frame(self) -> dict[str, object]:
        """What the frame of a page shows; what was to be said is said by that."""
        said = accounts.hear(self.connection, self.session) if self.session else None
        return {
            "account": self.account,
            "section": self.section_,
            "root": self.root,
            "here": self.address,
            "csrf": csrf_token(self.session),
            "said": said,
            "redis_is_away": self.redis_is_away,
            "may_edit": self.may(Role.EDITOR),
            "may_own": self.may(Role.OWNER),
            "sees_all": self.may_everywhere(Role.VIEWER),
            "owns_all": self.may_everywhere(Role.OWNER),
        }

    def part(self, template: str, **values: object) -> Response:
        """A piece of a page, for scripts: it leaves what is to be said to the next whole page."""
        return shell.page(template, HTTPStatus.OK, {}, **values)

    def go(self, address: str, said: str = "") -> Response:
        """On to another page, which says something; the answer to every form that did something."""
        if said and self.session:
            accounts.say(self.connection, self.session, said)
        return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=shell.HEADERS)

    def if_redis(self, ask: Callable[[], T]) -> T | None:
        """What is asked of Redis, None while it is away: for pages that have more to show.

        It is not asked again in this visit, as each call may take all the patience there is.
        """
        if not self.redis_is_away:
            try:
                return ask()
            except absence.REDIS:
                self.redis_is_away = True
        return None

    def note(self, action: str, subject: str = "", section_id: int | None = None) -> None:
        """Write into the audit log what this person did, in a section: by default the page's."""
        section_id = self.section_id or section_id
        audit_log.add(
            self.connection, self.who.name, action, subject, self.now, section_id=section_id
        )


def csrf_token(session: str) -> str:
    """What the forms of a session carry: other sites can't know it."""
    return hmac.digest(session.encode(), b"pintag form", hashlib.sha256).hex() if session else ""
