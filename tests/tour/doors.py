"""The doors by which things come into an installation: what people, clients and websites use.

Definitions are saved by the actions behind the pages, as these take the time as an argument: an
event can have been made, and edited, weeks ago.
"""

import http.client
import json
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import psycopg
import redis

from tests.embedded.waiting import until
from tests.whole.installation import Installation
from tracker.actions import editing, saving
from tracker.pages.page import COOKIE
from tracker.pages.visit import csrf_token
from tracker.rules import claims
from tracker.rules.definitions import Draft, slugify
from tracker.rules.drafts import parse_draft
from tracker.rules.hits import Sender
from tracker.rules.ids import mint
from tracker.rules.keyspaces import Keyspace
from tracker.snippets import tracking
from tracker.stores import accounts, definitions, hit_queue, sections
from tracker.stores.definitions import Definition

MOST_HITS = 100
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36"
)
Hit = dict[str, Any]


def ms_of(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def hit_at(at: datetime, visitor: str | None, data: Mapping[str, object], **more: object) -> Hit:
    """A hit whose id is as old as it is."""
    made = {"id": str(mint(ms_of(at), random.randbytes(10))), "at": ms_of(at), "data": dict(data)}
    return {**made, **({"visitor": visitor} if visitor else {}), **more}


@dataclass
class Doors:
    """The doors of one section; `now` is when it all ends."""

    pintag: Installation
    db: psycopg.Connection
    redis: redis.Redis
    section: str
    now: datetime
    session: str
    secret: str

    @property
    def section_id(self) -> int:
        return sections.choose(self.db, self.section).id

    def ago(self, **age: float) -> datetime:
        return self.now - timedelta(**age)

    # -- people

    def save(
        self, category: str, name: str, description: str, fields: Sequence[object], **age: float
    ) -> Definition:
        """Save a definition, as long ago as `age` says, and switch web tracking on."""
        sent = {"category": category, "name": name, "description": description, "fields": fields}
        draft = parse_draft(sent)
        assert isinstance(draft, Draft), draft
        made = saving.create(self.db, self.section_id, draft, self.ago(**age))
        tracking.switch_on(self.db, self.redis, made, self.ago(**age))
        return made

    def edit(self, slug: str, fields: Sequence[object], **age: float) -> None:
        at = self.ago(**age)
        editing.edit(
            self.db, self.redis, self.event(slug), {"fields": fields}, now=at, cooldown=3_600
        )

    def event(self, slug: str) -> Definition:
        found = definitions.find(self.db, self.section_id, slug)
        assert found is not None, slug
        return found

    @property
    def root(self) -> str:
        """What the addresses of the section's pages begin with."""
        return f"/sections/{self.section}"

    def post(self, path: str, **form: str) -> str:
        """Send a form; returns where it leads to."""
        body = urlencode({"csrf": csrf_token(self.session), **form})
        kind = "application/x-www-form-urlencoded"
        status, where, text = self._ask("POST", path, body, kind)
        assert status == 303, text
        return where

    def get(self, path: str) -> str:
        status, _, text = self._ask("GET", path)
        assert status == 200, text
        return text

    def _ask(self, method: str, path: str, body: str = "", kind: str = "") -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(urlsplit(self.pintag.web).netloc, timeout=60)
        headers = {"Cookie": f"{COOKIE}={self.session}", **({"Content-Type": kind} if kind else {})}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.getheader("Location", ""), text

    def job(self, path: str, **form: str) -> str:
        """Send a form that begins a job, and wait for the job's end; returns its id."""
        where = self.post(path, **form)
        until(lambda: 'data-goes-on=""' in self.get(where), where)
        return where.rpartition("/")[2]

    # -- websites

    def key(self, slug: str, version: int = 1) -> str:
        """The snippet key of a version."""
        event = self.event(slug)
        [wanted] = [one for one in event.versions if one.number == version]
        snippet = definitions.snippet_of(self.db, wanted.id)
        assert snippet is not None
        return snippet.key

    def send(self, key: str, hits: Sequence[Hit], agent: str = AGENT, **address: str) -> None:
        """Send hits to a snippet's address; address: its parameters, and `behind`, in hours."""
        behind = float(address.pop("behind", "0"))
        connection = http.client.HTTPConnection(urlsplit(self.pintag.collector).netloc, timeout=60)
        for first in range(0, len(hits), MOST_HITS):
            sent = ms_of(self.now - timedelta(hours=behind))
            body = json.dumps({"sent": sent, "hits": hits[first : first + MOST_HITS]})
            query = f"?{urlencode(address)}" if address else ""
            connection.request("POST", f"/v1/{key}{query}", body, {"User-Agent": agent})
            answer = connection.getresponse()
            assert answer.status == 204, answer.read()
            answer.read()
        connection.close()

    def send_to_nobody(self, *hits: Hit) -> None:
        """Queue hits of a key that the database does not know, as after it was set back."""
        packed = (
            hit_queue.pack_text("key-of-another-database"),
            hit_queue.pack_text(str(ms_of(self.now))),
            hit_queue.pack_sender(Sender(agent=AGENT)),
        )
        connection = self.redis.connection_pool.get_connection()
        for hit in hits:
            append = hit_queue.pack_append(0, *packed, json.dumps(hit).encode())
            connection.send_packed_command([append])  # type: ignore[no-untyped-call]
            connection.read_response()
        self.redis.connection_pool.release(connection)

    def claim(self, keyspace: Keyspace, key: str) -> dict[str, object]:
        """A claim as the section's own server signs it."""
        expires = round((self.now + timedelta(hours=1)).timestamp())
        signature = claims.sign(self.secret, self.section, keyspace, key, expires)
        return msgspec.to_builtins(claims.SignedClaim(key, expires, signature))  # type: ignore[no-any-return]

    def rest(self) -> None:
        """Wait until every hit has come to an outcome."""
        assert self.pintag.audit().problems == []


def open_section(
    pintag: Installation,
    db: psycopg.Connection,
    client: redis.Redis,
    name: str,
    account: str,
    now: datetime,
) -> Doors:
    """A new section, with a signing secret, and an account that is signed in."""
    slug = slugify(name, "section")
    pintag.pintag("section", "create", name)
    secret = pintag.pintag("section", "new-secret", "--section", slug).strip()
    pintag.pintag("account", "create", account, "--role", "owner")
    found = accounts.find(db, account)
    assert found is not None
    session = secrets.token_urlsafe()
    accounts.begin_session(db, found.id, session, now)
    return Doors(pintag, db, client, slug, now, session, secret)
