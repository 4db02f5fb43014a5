"""The settings, read from the environment once, at the start of a process."""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url

from tracker.rules import origins, queue_urls

HITS_PATH, SCRIPTS_PATH = "/v1", "/s"
"""Where the collector answers for good, whatever else is set: pasted snippets live for years."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which one, and what to do."""


# What reads a variable raises ValueError, whose message goes on after the variable's name. It
# never repeats a URL: there may be a password in it.


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"must be a whole number, but is {text!r}.")
    return int(text)


def _host(text: str) -> str:
    """An address to listen on; [::1], as it stands in URLs, is ::1."""
    return text.removeprefix("[").removesuffix("]")


def _database(text: str) -> str:
    try:
        conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        raise ValueError(
            "is no address of a PostgreSQL server.\n"
            "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or host=HOST dbname=DATABASE …"
        ) from None
    return text


def _redis(text: str) -> str:
    try:
        parsed: dict[str, Any] = dict(parse_url(text))  # type: ignore[no-untyped-call]
    except ValueError:
        parsed = {}
    # redis-py would take the first part of unix://run/redis.sock for a host, and forget it.
    if text.startswith("unix:") and (urlsplit(text).hostname or "path" not in parsed):
        parsed = {}
    if not parsed:
        raise ValueError(
            "is no address of a Redis server.\n"
            "Write redis://HOST:PORT, rediss://HOST:PORT (with TLS) or unix:///PATH/TO/SOCKET."
        )
    return text


def _queue(text: str) -> str:
    if not queue_urls.is_cluster(text):
        try:
            return _redis(text)
        except ValueError:
            raise ValueError(_NO_QUEUE) from None
    for server in queue_urls.servers(text):
        try:
            parsed: dict[str, Any] = dict(parse_url(server))  # type: ignore[no-untyped-call]
        except ValueError:
            parsed = {}
        if not parsed.get("host"):
            raise ValueError(_NO_QUEUE)
        if parsed.get("db"):
            raise ValueError("names a database, but a cluster has none: leave out what follows /.")
    return text


_NO_QUEUE = (
    "is no address of a hit queue.\n"
    "Write redis://HOST:PORT for a server of its own, or redis+cluster://HOST:PORT,HOST:PORT for\n"
    "a cluster, of which a few nodes are enough; rediss:// and rediss+cluster:// are with TLS."
)


def _proxies(text: str) -> str:
    """Addresses and networks, separated by commas; uvicorn takes what is none without a word."""
    proxies = [part.strip() for part in text.split(",")]
    try:
        for proxy in proxies:
            ip_network(proxy)
    except ValueError:
        raise ValueError(
            f"must be addresses or networks such as 10.0.0.0/8, with commas between, not {text!r}."
        ) from None
    return ",".join(proxies)


def _site(text: str) -> str:
    """An origin, as browsers write it: that is what forms are compared with."""
    try:
        origin = origins.parse_pattern(text)
    except origins.BadOriginError as error:
        raise ValueError(f"must be an address such as https://pintag.example. {error}") from None
    if origin == origins.OPAQUE or "*" in origin:
        raise ValueError(f"must be one address such as https://pintag.example, not {text!r}.")
    return origin


def _path(text: str) -> str:
    if not _PATH.fullmatch(text) or {".", ".."} & set(text.split("/")):
        raise ValueError(
            f"must be a path such as /pt or /a/b, without a slash at its end, but is {text!r}."
        )
    return text


_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def _setting(variable: str, default: Any, meaning: str, read: Callable[[str], Any] = str) -> Any:
    metadata = {"variable": variable, "meaning": meaning, "read": read}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its environment variable, default and meaning in its metadata."""

    database_url: str = _setting(
        "DATABASE_URL",
        "",
        "PostgreSQL, as a postgresql:// URL or in libpq's form. Default: the embedded server's.",
        _database,
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "",
        "Redis or Valkey, as a redis://, rediss:// or unix:// URL. Default: the embedded one.",
        _redis,
    )
    queue_url: str = _setting(
        "PINTAG_QUEUE_URL",
        "",
        "Another server for the hit queue, or a cluster: redis+cluster://HOST:PORT,HOST:PORT. "
        "Default: it is in REDIS_URL.",
        _queue,
    )
    data_dir: str = _setting(
        "PINTAG_DATA",
        "",
        "Where `pintag up` keeps its data. Default: ./pintag-data; for root in a private folder "
        "/var/lib/pintag.",
    )
    web_host: str = _setting(
        "PINTAG_WEB_HOST", "127.0.0.1", "The address on which the API and the pages listen.", _host
    )
    web_port: int = _setting("PINTAG_WEB_PORT", 8700, "The port of the API and the pages.", _number)
    web_url: str = _setting(
        "PINTAG_WEB_URL",
        "",
        "The public address of the pages, behind a web server with TLS. Default: host and port.",
        _site,
    )
    collector_host: str = _setting(
        "PINTAG_COLLECTOR_HOST", "127.0.0.1", "The address on which the collector listens.", _host
    )
    collector_port: int = _setting("PINTAG_COLLECTOR_PORT", 8701, "The collector's port.", _number)
    collector_url: str = _setting(
        "PINTAG_COLLECTOR_URL",
        "",
        "The collector's public address, written into snippets. Default: its host and port.",
    )
    hits_path: str = _setting(
        "PINTAG_HITS_PATH",
        HITS_PATH,
        "Where the collector takes hits, and snippets send them. It takes them at /v1 besides.",
        _path,
    )
    scripts_path: str = _setting(
        "PINTAG_SCRIPTS_PATH",
        SCRIPTS_PATH,
        "Where the collector has hosted scripts, for snippets to load. It has them at /s besides.",
        _path,
    )
    trusted_proxies: str = _setting(
        "PINTAG_TRUSTED_PROXIES",
        "127.0.0.1,::1",
        "Reverse proxies, as addresses or networks with commas between: of these collector and web "
        "believe X-Forwarded-For.",
        _proxies,
    )
    prefix: str = _setting(
        "PINTAG_PREFIX",
        "com.pintag",
        "First part of discriminators; read by the first `pintag migrate` only.",
    )
    partitions: int = _setting(
        "PINTAG_PARTITIONS",
        8,
        "Number of hit queue partitions, 1 to 256; read by the first `pintag migrate` only.",
        _number,
    )
    batch: int = _setting(
        "PINTAG_BATCH", 500, "Most hits that a worker reads from one partition at a time.", _number
    )
    snippet_rate: int = _setting(
        "PINTAG_SNIPPET_RATE",
        0,
        "Most hits a second that one collector takes for one snippet, then 429; 0: no limit.",
        _number,
    )
    visitor_rate: int = _setting(
        "PINTAG_VISITOR_RATE",
        0,
        "The same for one visitor of a snippet; 0: no limit.",
        _number,
    )
    address_rate: int = _setting(
        "PINTAG_ADDRESS_RATE",
        0,
        "The same for one IPv4 address or IPv6 /64 of clients; 0: no limit.",
        _number,
    )
    connections: int = _setting(
        "PINTAG_CONNECTIONS",
        4096,
        "Most connections that one collector has open, then 503; 0: no limit.",
        _number,
    )
    address_connections: int = _setting(
        "PINTAG_ADDRESS_CONNECTIONS",
        256,
        "The same for one IPv4 address or IPv6 /64 that is no trusted proxy's; 0: no limit.",
        _number,
    )
    queue_percent: int = _setting(
        "PINTAG_QUEUE_PERCENT",
        80,
        "Percent of Redis's memory limit, past which collectors answer 503; 0: never.",
        _number,
    )
    queue_hits: int = _setting(
        "PINTAG_QUEUE_HITS",
        0,
        "Waiting hits, past which collectors answer 503; 0: any number may wait.",
        _number,
    )
    queue_seconds: int = _setting(
        "PINTAG_QUEUE_SECONDS",
        0,
        "Seconds that the oldest hit waits, past which collectors answer 503; 0: any time.",
        _number,
    )
    secret_key: str = _setting(
        "PINTAG_SECRET_KEY",
        "",
        "At least 32 random characters: what signs tokens and encrypts secrets. `pintag up` keeps "
        "one in its data folder.",
    )
    cooldown: int = _setting(
        "PINTAG_COOLDOWN",
        3600,
        "Seconds after an edit until the event can be edited again, and its new version used.",
        _number,
    )
    metrics_token: str = _setting(
        "PINTAG_METRICS_TOKEN",
        "",
        "The bearer token that /metrics asks for. Default: this machine alone gets them, without.",
    )
    max_age_days: int = _setting(
        "PINTAG_MAX_AGE_DAYS",
        0,
        "Days after which every event is deleted, a week's at a time; 0: never.",
        _number,
    )

    @property
    def public_collector_url(self) -> str:
        """The collector's address as browsers see it, without a slash at the end."""
        host = f"[{self.collector_host}]" if ":" in self.collector_host else self.collector_host
        return (self.collector_url or f"http://{host}:{self.collector_port}").rstrip("/")


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the embedded servers keep their data: PINTAG_DATA, or ./pintag-data.

    For root in a folder that others can't enter it is /var/lib/pintag: PostgreSQL refuses to run
    as root, and the user it runs as could not reach its data.
    """
    if environ.get("PINTAG_DATA"):
        return Path(environ["PINTAG_DATA"]).absolute()
    here = Path.cwd()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root and not all(folder.stat().st_mode & 0o001 for folder in (here, *here.parents)):
        return Path("/var/lib/pintag")
    return here / "pintag-data"


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; empty ones count as not set. Raises SettingsError."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        variable, read = setting.metadata["variable"], setting.metadata["read"]
        if text := environ.get(variable, ""):
            try:
                values[setting.name] = read(text)
            except ValueError as error:
                raise SettingsError(f"{variable} {error}") from None
    return Settings(**values)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of this process; without server URLs, those of the `pintag up` that runs here.

    Raises SettingsError where neither the environment nor DIR/up.json names the servers.
    """
    settings = from_environ(environ)
    if settings.database_url and settings.redis_url:
        return settings
    state_file = default_data_dir(environ) / "up.json"
    try:
        state = json.loads(state_file.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsError(
            f"DATABASE_URL and REDIS_URL are not set, and no `pintag up` left {state_file}.\n"
            "Run `pintag up` in this folder first, or set PINTAG_DATA or both URLs."
        ) from None
    given = {name: value for name, value in environ.items() if value}
    return from_environ({**state["environment"], **given})
