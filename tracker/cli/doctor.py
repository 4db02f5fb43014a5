"""`pintag doctor`: is this installation sound, and if it isn't, what to do."""

import importlib.metadata
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
import redis
import typer
from redis import Redis

from tracker import settings as all_settings
from tracker.cli.screen import Screen
from tracker.settings import Settings, SettingsError
from tracker.stores import database, hit_queue
from tracker.vault import Vault

_LARGEST_SKEW = 1.0
_DURABLE_DATABASE = ("fsync", "full_page_writes", "synchronous_commit")
_DURABLE_REDIS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}
_LOOKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "bold red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `remedy` says what to do unless the level is ok."""

    level: Literal["ok", "warning", "problem"]
    subject: str
    text: str
    remedy: str = ""


def doctor() -> None:
    """Check this installation: versions, durability, clocks, schema, hit queue."""
    findings = examine(all_settings.load())
    _show(findings)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Finding]:
    """All checks; those that need a server which is away are left out."""
    findings = [*check_python(sys.version_info[:2]), *check_packages(_installed())]
    findings += check_secret_key(settings)
    db, problem = _reach("PostgreSQL", lambda: database.connect(settings.database_url))
    findings += problem
    client, problem = _reach("Redis", lambda: _connect_redis(settings.redis_url))
    findings += problem
    try:
        if db:
            findings += _examine_database(db, settings)
        if client:
            findings += check_redis(client.info("server"), _redis_config(client))
        if db and client:
            findings += _examine_both(db, client)
    finally:
        for connection in (db, client):
            if connection:
                connection.close()
    return findings


def check_python(version: tuple[int, int]) -> list[Finding]:
    text = ".".join(map(str, version))
    if version >= (3, 11):
        return [Finding("ok", "Python", text)]
    return [Finding("problem", "Python", f"{text} is too old", "Use Python 3.11 or newer.")]


def check_packages(versions: Mapping[str, str | None]) -> list[Finding]:
    missing = sorted(name for name, version in versions.items() if version is None)
    if missing:
        text = f"missing: {', '.join(missing)}"
        return [Finding("problem", "Packages", text, "Install again: pip install pintag.")]
    return [Finding("ok", "Packages", ", ".join(f"{n} {v}" for n, v in sorted(versions.items())))]


def check_secret_key(settings: Settings) -> list[Finding]:
    try:
        Vault(settings)
    except SettingsError as error:
        text, _, remedy = str(error).partition("\n")
        return [Finding("problem", "Secret key", text, remedy)]
    return [Finding("ok", "Secret key", "set")]


def check_postgres(version: int, durable: Mapping[str, str]) -> list[Finding]:
    """`version` as in server_version_num; `durable` are the settings that commits rest on."""
    text = f"{version // 10000}.{version % 10000}"
    findings = [Finding("ok", "PostgreSQL", text)]
    if version < 150000:
        findings = [Finding("problem", "PostgreSQL", text, "Use PostgreSQL 15 or newer.")]
    for name, value in durable.items():
        if value == "off":
            remedy = f"Set {name} = on: without it a crash can lose events that were stored."
            findings.append(Finding("problem", f"PostgreSQL {name}", value, remedy))
        else:
            findings.append(Finding("ok", f"PostgreSQL {name}", value))
    return findings


def check_redis(info: Mapping[str, Any], config: Mapping[str, str] | None) -> list[Finding]:
    """`config` is None where the server doesn't let clients see it."""
    findings = [_check_redis_version(info)]
    if config is None:
        text = "can't be seen: the server forbids CONFIG GET"
        wanted = ", ".join(f"{name} {value}" for name, value in _DURABLE_REDIS.items())
        return [*findings, Finding("warning", "Redis durability", text, f"Make sure of {wanted}.")]
    for name, wanted in _DURABLE_REDIS.items():
        value = config.get(name, "not set")
        if value == wanted:
            findings.append(Finding("ok", f"Redis {name}", value))
        else:
            remedy = f"CONFIG SET {name} {wanted}, and in its file: else hits can be lost."
            findings.append(Finding("problem", f"Redis {name}", value, remedy))
    return [*findings, _check_memory(config["maxmemory"])]


def _check_memory(limit: str) -> Finding:
    if limit != "0":
        return Finding("ok", "Redis maxmemory", f"{int(limit):,} bytes")
    remedy = "Set it below the machine's memory: a full queue must refuse hits, not be ended."
    return Finding("warning", "Redis maxmemory", "no limit", remedy)


def check_clocks(here: float, postgres: float, redis_time: float) -> list[Finding]:
    """Seconds since 1970 on each clock, at the same moment."""
    clocks = (here, postgres, redis_time)
    skew = max(clocks) - min(clocks)
    if skew <= _LARGEST_SKEW:
        return [Finding("ok", "Clocks", f"within {skew:.2f} s")]
    text = f"{skew:.1f} s apart (PostgreSQL {postgres - here:+.1f}, Redis {redis_time - here:+.1f})"
    return [Finding("problem", "Clocks", text, "Run NTP on every machine.")]


def check_schema(current: str | None, newest: str) -> list[Finding]:
    if current == newest:
        return [Finding("ok", "Schema", newest)]
    text = f"{current or 'none yet'}; this release's is {newest}"
    return [Finding("problem", "Schema", text, "Run `pintag migrate`.")]


def check_epoch(database_epoch: str, redis_epoch: str) -> list[Finding]:
    """Both are empty before the first worker; a Redis that lost its data has none or another."""
    if database_epoch == redis_epoch:
        text = f"{redis_epoch} on both sides" if redis_epoch else "none yet: no worker ran so far"
        return [Finding("ok", "Queue epoch", text)]
    text = f"{redis_epoch or 'none'} in Redis, {database_epoch or 'none'} in PostgreSQL"
    if not database_epoch:
        remedy = "This Redis belongs to another installation: mend REDIS_URL or DATABASE_URL."
        return [Finding("problem", "Queue epoch", text, remedy)]
    remedy = "Redis lost its data: the worker notes the loss and begins a new epoch."
    if redis_epoch:
        remedy = "This Redis belongs to another installation: mend REDIS_URL or DATABASE_URL."
    return [Finding("problem", "Queue epoch", text, remedy)]


def check_partitions(expected: int, numbers: Iterable[int]) -> list[Finding]:
    if (found := sorted(numbers)) == list(range(expected)):
        return [Finding("ok", "Partitions", str(expected))]
    text = f"{found} in hit_partition, 0 to {expected - 1} expected"
    return [Finding("problem", "Partitions", text, "Restore the table from a backup.")]


def _check_redis_version(info: Mapping[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
    oldest = (7, 2) if name == "Valkey" else (7, 0)
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= oldest:
        return Finding("ok", name, version)
    return Finding("problem", name, version, "Use Redis 7 or Valkey 7.2, or newer.")


def _examine_database(db: psycopg.Connection, settings: Settings) -> list[Finding]:
    durable = {name: str(_value(db, f"SHOW {name}")) for name in _DURABLE_DATABASE}
    current, newest = database.schema_state(settings.database_url)
    findings = [*check_postgres(db.info.server_version, durable), *check_schema(current, newest)]
    if current:
        numbers = [number for (number,) in db.execute("SELECT number FROM hit_partition")]
        findings += check_partitions(_value(db, "SELECT partitions FROM installation"), numbers)
    return findings


def _examine_both(db: psycopg.Connection, client: Any) -> list[Finding]:
    before = time.time()
    seconds, micros = client.time()
    there = float(_value(db, "SELECT extract(epoch FROM clock_timestamp())"))
    here = (before + time.time()) / 2
    findings = check_clocks(here, there, seconds + micros / 1e6)
    if _value(db, "SELECT to_regclass('installation')"):
        redis_epoch = hit_queue.get_epoch(client)
        findings += check_epoch(_value(db, "SELECT queue_epoch FROM installation"), redis_epoch)
    return findings


def _reach(server: str, connect: Callable[[], Any]) -> tuple[Any, list[Finding]]:
    try:
        return connect(), []
    except (psycopg.Error, redis.RedisError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        remedy = "Start it (`pintag up`), or mend the URL."
        return None, [Finding("problem", server, f"can't be reached: {reason}", remedy)]


def _connect_redis(url: str) -> Any:
    client = Redis.from_url(url, legacy_responses=False)
    client.ping()
    return client


def _redis_config(client: Any) -> dict[str, str] | None:
    try:
        names = (*_DURABLE_REDIS, "maxmemory")
        return {name: client.config_get(name).get(name, "not set") for name in names}
    except redis.ResponseError:
        return None


def _value(db: psycopg.Connection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _installed() -> dict[str, str | None]:
    """The versions of what pintag depends on; None where it is missing."""
    versions: dict[str, str | None] = {}
    for requirement in importlib.metadata.requires("pintag") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # Embedded servers are for some platforms only, and can be done without.
            if ";" not in requirement:
                versions[name] = None
    return versions


def _show(findings: list[Finding]) -> None:
    screen = Screen()
    width = max(len(finding.subject) for finding in findings) + 2
    for finding in findings:
        sign, style = _LOOKS[finding.level]
        level = f"{sign} {finding.level}".ljust(11)
        screen.line((level, style), (finding.subject.ljust(width), "bold"), (finding.text, ""))
        if finding.remedy:
            screen.line((" " * (11 + width), ""), (f"→ {finding.remedy}", style))
