"""`pintag up`: everything on this machine, from nothing, until Ctrl-C."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import tracker
from tracker import embedded, listening
from tracker.actions import signing_in
from tracker.cli import running
from tracker.cli.deaths import Deaths
from tracker.cli.running import StateFile
from tracker.cli.screen import Screen, complain
from tracker.embedded import EmbeddedError, layout, probes
from tracker.embedded.processes import Part
from tracker.embedded.supervisor import Supervisor
from tracker.settings import Settings, default_data_dir
from tracker.stores import database

Port = Annotated[
    int | None,
    typer.Option(help="Port of the pages and the API; the collector takes the next.", min=1),
]
Data = Annotated[
    Path | None, typer.Option(help="Folder for data and logs; default: ./pintag-data.")
]
Ports = Mapping[str, Sequence[socket.socket]]
Demo = Annotated[bool, typer.Option(help="Make a demo section with events and a demo page.")]


def up(port: Port = None, data: Data = None, demo: Demo = True) -> None:
    """Start everything on this machine: servers, web, collector, worker. Ctrl-C stops it.

    Set DATABASE_URL or REDIS_URL to use a server of your own in place of an embedded one.
    """
    directory = (data or default_data_dir()).absolute()
    try:
        _make(directory)
        with running.exclusive(directory):
            settings = running.settings_for(port, directory, os.environ)
            settings = running.with_secret_key(settings, directory)
            running.check_ports(settings)
            asyncio.run(_run(settings, directory, demo))
    except EmbeddedError as error:
        complain(str(error))
        raise typer.Exit(1) from None


async def _run(settings: Settings, directory: Path, demo: bool) -> None:
    """Start, wait for a signal, and stop, wherever in its start a signal or failure comes."""
    screen, state, stop = Screen(), StateFile(directory), asyncio.Event()
    deaths = Deaths()
    supervisor = Supervisor(
        directory / "logs", screen.say, lambda: state.update(supervisor.pids), deaths.note
    )
    _listen(stop, supervisor.hurry)
    screen.title(f"Pintag {tracker.__version__}")
    ports = _listen_on(settings)

    async def work() -> None:
        found = await _start(supervisor, settings, demo, screen, state, ports)
        await deaths.tell(found.redis_url)

    working = asyncio.create_task(work())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        await stopping
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
        for sockets in ports.values():
            listening.close(sockets)
        with screen.step("Stopping (Ctrl-C again to hurry)", "Stopped; nothing runs any more"):
            await supervisor.stop()
            state.remove()


def _listen_on(settings: Settings) -> Ports:
    """The sockets of web and collector: what dies is started again, and nobody is refused by it."""
    return {
        "web": listening.kept("web", settings.web_host, settings.web_port),
        "collector": listening.kept("collector", settings.collector_host, settings.collector_port),
    }


async def _start(
    supervisor: Supervisor,
    settings: Settings,
    demo: bool,
    screen: Screen,
    state: StateFile,
    ports: Ports,
) -> Settings:
    """Returns the settings with the addresses of the servers."""
    directory = Path(settings.data_dir)
    own = {"PostgreSQL": settings.database_url, "Valkey": settings.redis_url}
    ours = " and ".join(name for name, url in own.items() if not url)
    with screen.step(f"Starting {ours}", ours) if ours else nullcontext():
        found = await embedded.start(
            supervisor, directory, settings.database_url, settings.redis_url
        )
    settings = replace(settings, database_url=found.database_url, redis_url=found.redis_url)
    with screen.step("Bringing the schema up to date", "Schema"):
        await asyncio.to_thread(database.migrate, settings)
    shown: dict[str, Any] = {}
    if demo:
        with screen.step("Setting up the demo", "Demo"):
            shown = await asyncio.to_thread(_ensure_demo, settings)
    with screen.step("Starting web, collector, worker and jobs", "Web, collector, worker, jobs"):
        await supervisor.start(*_parts(settings, ports))
    link = await asyncio.to_thread(_way_in, settings)
    state.create(settings, supervisor.pids, shown, link)
    listening.tell(listening.READY)
    screen.table(_rows(settings, demo, link))
    return settings


def _ensure_demo(settings: Settings) -> dict[str, Any]:
    from tracker.actions.demo import ensure_demo

    return ensure_demo(settings)


def _way_in(settings: Settings) -> str:
    """Where one signs in: as long as the first account has no password, where that is chosen."""
    with database.connect(settings.database_url) as connection:
        token = signing_in.link_for_first(connection, datetime.now(UTC))
    way = f"welcome/{token}" if token else "sign-in"
    return f"{running.pages(settings)}/{way}"


def _parts(settings: Settings, ports: Ports) -> list[Part]:
    """The four processes; web and collector stop first, so that nothing new comes in."""
    environment = {**os.environ, **running.environment_of(settings), "PYTHONUNBUFFERED": "1"}
    environment.pop("NOTIFY_SOCKET", None)  # it is ours: they are not what was started there

    def part(name: str, *command: str, **options: Any) -> Part:
        return Part(name, (sys.executable, "-m", *command), environment=environment, **options)

    def server(name: str, host: str, port: int) -> Part:
        """One that gets its sockets from us. Nobody takes over: it stops without seeing off."""
        return part(
            name,
            *("tracker.cli", name, *listening.options(ports[name])),
            is_ready=partial(probes.answers_health, running.local(host), port),
            descriptors=tuple(one.fileno() for one in ports[name]),
            stop_signal=signal.SIGINT,
        )

    return [
        server("web", settings.web_host, settings.web_port),
        server("collector", settings.collector_host, settings.collector_port),
        part("worker", "worker", is_ready=probes.started, stops=1),
        part("jobs", "worker.jobs", is_ready=probes.started, stops=1),
    ]


def _rows(settings: Settings, demo: bool, link: str) -> list[tuple[str, str]]:
    pages = running.pages(settings)
    directory = Path(settings.data_dir)
    rows = [
        ("Sign in", link),
        ("Pages", f"{pages}/"),
        ("Demo page", f"{pages}/demo"),
        ("Collector", settings.public_collector_url),
        ("Data", str(directory)),
        ("Logs", str(directory / "logs")),
        ("PostgreSQL", running.masked(settings.database_url)),
        ("Valkey", running.masked(settings.redis_url)),
        ("Hit queue", running.masked(settings.queue_url)),
        ("Stop", "Ctrl-C stops everything"),
    ]
    if directory != default_data_dir():
        rows.insert(-1, ("Commands", f"PINTAG_DATA={directory} pintag …"))
    return [row for row in rows if row[1] and (demo or row[0] != "Demo page")]


def _make(directory: Path) -> None:
    try:
        layout.make_root(directory)
        (directory / "up.lock").touch(mode=0o600)
        (directory / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"The data directory {directory} can't be used: {error.strerror}.\n"
            "Run Pintag as the user it belongs to, or choose another one with --data."
        ) from None


def _listen(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first signal stops us, the second one hurries."""

    def handle() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup pintag up` means to survive the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, handle)
