"""What `pintag up` leaves for others while it runs: its lock, its ports, DIR/up.json."""

import errno
import fcntl
import json
import os
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tracker.embedded import EmbeddedError
from tracker.settings import Settings, SettingsError, from_environ

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with


def settings_for(port: int | None, directory: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a `pintag up`: the collector's port follows that of the web process."""
    settings = from_environ(environ)
    web = port or settings.web_port
    collector = settings.collector_port if environ.get("PINTAG_COLLECTOR_PORT") else web + 1
    if not (0 < web < 65536 and 0 < collector < 65536) or web == collector:
        raise SettingsError(f"The ports {web} (web) and {collector} (collector) can't be used.")
    return replace(
        settings,
        data_dir=str(directory),
        web_port=web,
        collector_port=collector,
        collector_url=settings.collector_url or address(settings.collector_host, collector),
    )


def with_secret_key(settings: Settings, directory: Path) -> Settings:
    """The settings with a secret key: the one given, or DIR/secret-key, made where missing."""
    path = directory / "secret-key"
    if settings.secret_key:
        return settings
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    return replace(settings, secret_key=path.read_text(encoding="ascii").strip())


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment variables that stand for these settings."""
    values = ((one.metadata["variable"], getattr(settings, one.name)) for one in fields(settings))
    return {variable: str(value) for variable, value in values if value != ""}


def pages(settings: Settings) -> str:
    """Where people open the pages."""
    return settings.web_url or address(settings.web_host, settings.web_port)


def address(host: str, port: int) -> str:
    """A URL for this machine's own browsers; every address is reached through the loopback one."""
    host = local(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return _EVERYWHERE.get(host, host)


def masked(url: str) -> str:
    """A server's URL without its password, for the screen."""
    url = re.sub(r"(://[^:/@]*:)[^@/]*@", r"\1…@", url)
    return re.sub(r"(password=)[^&]*", r"\1…", url)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold DIR/up.lock. Raises EmbeddedError where another `pintag up` has it."""
    with (directory / "up.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(_already_runs(directory)) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_ports(settings: Settings) -> None:
    """Raise EmbeddedError, which names the way out, where a process could not listen."""
    for name, host, port in (
        ("web", settings.web_host, settings.web_port),
        ("collector", settings.collector_host, settings.collector_port),
    ):
        try:
            _bind(host, port)
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise EmbeddedError(
                    f"{host!r} is no address of this machine ({error.strerror}).\n"
                    f"Mend PINTAG_{name.upper()}_HOST: the {name} process is to listen there."
                ) from None
            raise EmbeddedError(
                f"Port {port}, meant for the {name} process, {why_not(error)}.\n"
                f"Choose another one: pintag up --port {max(settings.web_port, 1024) + 100} "
                f"(the collector takes the next one up, or PINTAG_COLLECTOR_PORT)."
            ) from None


def why_not(error: OSError) -> str:
    """What keeps a process from a port, for people."""
    if error.errno == errno.EADDRINUSE:
        return f"is not free ({error.strerror})"
    if error.errno == errno.EACCES:
        return f"is not for everyone: ports below 1024 mostly need rights ({error.strerror})"
    return f"can't be used ({error.strerror})"


class StateFile:
    """DIR/up.json: there while Pintag runs and is ready; for its owner only."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "up.json"
        self._content: dict[str, Any] = {}
        self.remove()

    def create(
        self, settings: Settings, pids: Mapping[str, int], demo: Mapping[str, Any], link: str
    ) -> None:
        """Say that all is ready, and where; `link`: where one signs in."""
        self._content = {
            "pid": os.getpid(),
            "web": address(settings.web_host, settings.web_port),
            "sign_in": link,
            "collector": address(settings.collector_host, settings.collector_port),
            "environment": environment_of(settings),
            "processes": dict(pids),
            "demo": dict(demo),
        }
        self._write()

    def update(self, pids: Mapping[str, int]) -> None:
        """Name the processes that run now; nothing before `create`."""
        if self._content:
            self._content["processes"] = dict(pids)
            self._write()

    def remove(self) -> None:
        """Say that nothing runs."""
        self._content = {}
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        new = self.path.with_suffix(".json.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(self._content, indent=2) + "\n", encoding="utf-8")
        new.replace(self.path)


def _already_runs(directory: Path) -> str:
    pid = (directory / "up.lock").read_text(encoding="utf-8") or "not known yet"
    where = "it is starting"
    with suppress(OSError, ValueError, KeyError):
        where = f"address {json.loads((directory / 'up.json').read_text(encoding='utf-8'))['web']}"
    return (
        f"Pintag already runs here (pid {pid}, {where}).\n"
        f"Stop that one first (kill {pid}), or choose another folder with --data."
    )


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, where = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        probe.bind(where)
