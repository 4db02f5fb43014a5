"""Live: the page with its newest hits, and the stream that adds those that come."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, MutableMapping
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from redis import Redis
from starlette.applications import Starlette

from tests.embedded.waiting import until
from tests.pages.conftest import Person, SignIn
from tests.pages.kept import HOSTILE, ROOT, is_clean
from tests.worker.cast import Harbour, drain, hit, track
from tracker.pages import live as page
from tracker.pages import streams
from tracker.pages.page import COOKIE
from tracker.rules.accounts import Role
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.told import ToldHit
from tracker.settings import Settings
from tracker.stores import live
from tracker.stores.live import LiveBatch

LIVE = f"{ROOT}/live"


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


@pytest.fixture
def viewer(harbour: Harbour, sign_in: SignIn) -> Person:
    return sign_in(Role.VIEWER, "harbour")


def told(harbour: Harbour, outcome: Outcome = Outcome.STORED, **changes: Any) -> ToldHit:
    now = int(datetime.now(UTC).timestamp() * 1000)
    whole = {"key": harbour.key, "data": '{"reference":"B-1"}', "id": "1", **changes}
    return ToldHit(received_ms=now, outcome=outcome, **whole)


BAD: dict[str, Any] = {
    "outcome": Outcome.QUARANTINED,
    "reason": Reason.INVALID_DATA,
    "errors": [FieldError("amount", ErrorCode.WRONG_TYPE, "This is no decimal.")],
}


class Stream:
    """An open stream as its browser has it: an ASGI request, answered in this loop."""

    def __init__(self, app: Starlette, person: Person, address: str) -> None:
        path, _, query = address.partition("?")
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (b"host", b"127.0.0.1"),
                (b"cookie", f"{COOKIE}={person.client.cookies[COOKIE]}".encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self._app, self._gone = app, asyncio.Event()
        self._sent: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._text = ""

    async def __aenter__(self) -> "Stream":
        async def receive() -> dict[str, Any]:
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            await self._sent.put(message)

        self._task = asyncio.create_task(self._app(self._scope, receive, send))
        self.start = await self._sent.get()
        self.status = self.start["status"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """The browser goes away; returns when the answer has ended."""
        self._gone.set()
        assert self._task is not None
        await asyncio.wait_for(self._task, 30)

    async def event(self, name: str) -> str:
        """The data of the next event of that name; others are left out."""
        while True:
            head, found, rest = self._text.partition("\n\n")
            if not found:
                message = await asyncio.wait_for(self._sent.get(), 30)
                assert message["body"] or message["more_body"], "it ended"
                self._text += message["body"].decode()
                continue
            self._text = rest
            first, *data = head.split("\n")
            if first == f"event: {name}":
                return "\n".join(line.removeprefix("data: ") for line in data)

    async def rest(self) -> str:
        """All that comes until it ends."""
        while (message := await asyncio.wait_for(self._sent.get(), 30))["more_body"]:
            self._text += message["body"].decode()
        return self._text + str(message["body"], "utf-8")


Opened = Callable[[str], Stream]


@pytest.fixture
def opened(viewer: Person) -> Opened:
    app = viewer.client.app
    assert isinstance(app, Starlette)

    def opened(query: str) -> Stream:
        return Stream(app, viewer, f"{LIVE}/hits{query}")

    return opened


async def watched(harbour: Harbour) -> None:
    """Wait until the section is watched."""
    deadline = time.monotonic() + 30
    while harbour.booking.section_id not in live.watched(harbour.redis):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def publish(harbour: Harbour, *hits: ToldHit, **more: int) -> None:
    await watched(harbour)
    batch = LiveBatch(hits, {Outcome(name): count for name, count in more.items()})
    live.publish(harbour.redis, {harbour.booking.section_id: batch})


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_the_page_has_the_newest_hits_before_one_comes(harbour: Harbour, viewer: Person) -> None:
    assert "No hits yet" in viewer.get(LIVE)[1]
    harbour.send(hit(page=f"https://a.example/{HOSTILE}", data={"reference": HOSTILE}))
    harbour.send(hit(data={"amount": HOSTILE, HOSTILE: 1}), b"?<script>")
    drain(harbour)
    status, text = viewer.get(LIVE)
    assert status == 200
    assert is_clean(text.replace('<script src="', ""))
    assert text.count('<li class="hit"') == 3
    for expected in ("stored", "quarantined", "Booking", "invalid_data: The fields do not fit"):
        assert expected in text
    assert "<strong>reference</strong>: " in text
    assert f'data-live="{LIVE}/hits?"' in text


def test_fields_are_in_the_order_of_the_definition(harbour: Harbour, viewer: Person) -> None:
    harbour.send(hit(data={"nights": 2, "amount": 9.5, "reference": "B-1", "source": "App"}))
    drain(harbour)
    brief = re.findall(r'class="brief">(.*?)</span>\n', viewer.get(LIVE)[1], re.DOTALL)[0]
    assert re.findall(r"<span>(\w+)</span>", brief) == ["source", "reference", "amount", "nights"]


def test_the_page_is_filtered(harbour: Harbour, viewer: Person) -> None:
    harbour.send(hit(page="https://a.example/"), hit(data={}))
    drain(harbour)
    for query, found in {
        "event=booking": 2,
        "event=other": 0,
        "outcome=quarantined": 1,
        "outcome=nonsense": 2,
        "text=B-1": 1,
        "text=VISITOR-ann": 2,
        "text=a.example": 1,
        "text=nowhere": 0,
    }.items():
        assert viewer.get(f"{LIVE}?{query}")[1].count('<li class="hit"') == found, query


def test_a_row_leads_to_its_event_and_profile(harbour: Harbour, viewer: Person) -> None:
    harbour.send(hit(), hit(data={}))
    drain(harbour)
    _, text = viewer.get(LIVE)
    assert text.count('<a href="events/booking">') == 2
    [profile] = re.findall(r'<a href="(profiles/[^"]+)"', text)
    assert viewer.get(f"{ROOT}/{profile}")[0] == 200


def test_hidden_events_are_not_there(harbour: Harbour, viewer: Person) -> None:
    harbour.send(hit(), hit(data={}))
    drain(harbour)
    harbour.db.execute("UPDATE definition SET hidden_at = now()")
    assert 'class="hit"' not in viewer.get(LIVE)[1]


def test_hits_come_as_rows(harbour: Harbour, opened: Opened) -> None:
    async def test() -> None:
        async with opened("") as stream:
            assert stream.status == 200
            headers = dict(stream.start["headers"])
            assert headers[b"content-type"].startswith(b"text/event-stream")
            assert headers[b"x-accel-buffering"] == b"no"
            data = '{"reference":"<b>B-7</b>\\n\\nevent: forged\\ndata: x"}'
            good = told(harbour, data=data, page="https://a.example/")
            await publish(harbour, told(harbour, **BAD), good, stored=1_240)
            assert await stream.event("live") == page.LIVE
            text = await stream.event("hits")
        first, second = text.split('<li class="hit"')[1:]
        assert ' data-outcome="stored"' in first  # the newest on top
        assert "&lt;b&gt;B-7&lt;/b&gt;" in first
        assert "https://a.example/" in first
        assert "<strong>amount</strong>: This is no decimal." in second
        assert "invalid_data: The fields do not fit" in second
        assert 'data-quarantined="1"' in text
        assert 'data-stored="1241"' in text
        assert 'data-more="1240"' in text

    run(test())


def test_only_rows_that_are_wanted_come_and_all_are_counted(
    harbour: Harbour, opened: Opened
) -> None:
    async def test() -> None:
        async with opened("?outcome=quarantined&event=booking&text=b-1") as stream:
            await publish(harbour, told(harbour), told(harbour, **BAD))
            text = await stream.event("hits")
        assert text.count('<li class="hit"') == 1
        assert 'data-outcome="quarantined"' in text
        assert 'data-stored="1"' in text

    run(test())


def test_a_snippet_that_is_newer_than_the_stream_is_looked_up(
    harbour: Harbour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LOOK_AGAIN", 0)

    async def test() -> None:
        async with opened("") as stream:
            await watched(harbour)
            harbour.db.execute("UPDATE snippet SET key = 'new'")
            await publish(harbour, told(harbour, key="new"), told(harbour, key="nobodys"))
            assert (await stream.event("hits")).count('<li class="hit"') == 1

    run(test())


def test_workers_that_are_silent_are_missed(
    harbour: Harbour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SILENCE", 0.05)
    monkeypatch.setattr(page, "PATIENCE", 0.02)

    async def test() -> None:
        async with opened("") as stream:
            assert await stream.event("trouble") == page.SILENT
            await publish(harbour)
            assert await stream.event("live") == page.LIVE

    run(test())


def test_a_browser_that_goes_away_is_followed_no_more(harbour: Harbour, opened: Opened) -> None:
    async def test() -> None:
        async with opened("") as stream:
            await watched(harbour)
            await stream.close()

    run(test())
    until(lambda: not live.watched(harbour.redis), "nobody watches", 5)


def test_a_stream_ends_when_its_time_is_up(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST", 0)

    async def test() -> None:
        async with opened("") as stream:
            assert await stream.rest() == "retry: 2000\n\nretry: 50\n\n"

    run(test())


def test_one_that_nobody_reads_is_cut_off(
    harbour: Harbour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST", 0.2)
    monkeypatch.setattr(streams, "STALLED", 0.1)

    async def test() -> None:
        stream = opened("")
        stream._sent = asyncio.Queue(maxsize=1)
        async with stream:
            assert stream._task is not None
            await asyncio.wait_for(asyncio.shield(stream._task), 30)

    run(test())


def test_so_many_are_open_at_once(
    harbour: Harbour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST", 1)

    async def test() -> None:
        async with opened("") as first:
            await watched(harbour)
            async with opened("") as second:
                assert second.status == 503
                assert (b"retry-after", b"60") in second.start["headers"]
            await first.close()
            async with opened("") as third:
                assert third.status == 200

    run(test())


def test_streams_end_when_the_web_process_stops(
    harbour: Harbour, opened: Opened, viewer: Person
) -> None:
    async def test() -> None:
        async with opened("") as stream:
            await watched(harbour)
            viewer.client.app.state.streams.end()  # type: ignore[attr-defined]
            assert "event: hits" not in await stream.rest()
            async with opened("") as late:
                assert late.status == 503

    run(test())


def test_redis_that_is_away_is_said(harbour: Harbour, opened: Opened, viewer: Person) -> None:
    async def test() -> None:
        async with opened("") as stream:
            await watched(harbour)
            harbour.redis.client_kill_filter(_type="pubsub")
            assert page.AWAY in await stream.rest()

    run(test())
