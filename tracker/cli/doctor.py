"""`pintag doctor`: is this installation sound, and if it isn't, what to do."""

import importlib.metadata
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import psycopg
import redis
import typer
from redis import Redis

from tracker import settings as all_settings
from tracker.cli.screen import Screen
from tracker.settings import Settings, SettingsError
from tracker.stores import cluster_map, database, hit_queue, queue_epochs, queues
from tracker.stores.queue_server import Queue
from tracker.vault import Vault

_LARGEST_SKEW = 1.0
_PATIENCE = 5.0
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
        if client:
            findings += _examine_queue(db, client, settings)
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


def check_redis(
    info: Mapping[str, Any], config: Mapping[str, str] | None, called: str = "Redis"
) -> list[Finding]:
    """`config` is None where the server doesn't let clients see it."""
    findings = [_check_redis_version(info, "" if called == "Redis" else f"{called} ")]
    if config is None:
        text = "can't be seen: the server forbids CONFIG GET"
        wanted = ", ".join(f"{name} {value}" for name, value in _DURABLE_REDIS.items())
        remedy = f"Make sure of {wanted}."
        return [*findings, Finding("warning", f"{called} durability", text, remedy)]
    for name, wanted in _DURABLE_REDIS.items():
        value = config.get(name, "not set")
        if value == wanted:
            findings.append(Finding("ok", f"{called} {name}", value))
        else:
            remedy = f"CONFIG SET {name} {wanted}, and in its file: else hits can be lost."
            findings.append(Finding("problem", f"{called} {name}", value, remedy))
    return [*findings, _check_memory(config["maxmemory"], called)]


def _check_memory(limit: str, called: str) -> Finding:
    if limit != "0":
        return Finding("ok", f"{called} maxmemory", f"{int(limit):,} bytes")
    remedy = "Set it below the machine's memory: a full queue must refuse hits, not be ended."
    return Finding("warning", f"{called} maxmemory", "no limit", remedy)


def check_coverage(value: str | None, called: str) -> list[Finding]:
    """Whether a node of a cluster goes on while another one is away."""
    name = "cluster-require-full-coverage"
    if value == "no":
        return [Finding("ok", f"{called} {name}", value)]
    remedy = f"CONFIG SET {name} no, and in its file: else one node that is away stops all of them."
    return [Finding("warning", f"{called} {name}", value or "not set", remedy)]


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


def check_epochs(known: Mapping[int, str], found: Mapping[int, str]) -> list[Finding]:
    """The epochs of partitions in a cluster; those that can't be asked are not in `found`."""
    if other := queue_epochs.foreign(known, found):
        text = f"partitions {_listed(other)} are another installation's"
        remedy = "Mend PINTAG_QUEUE_URL or DATABASE_URL; the worker's log says more."
        return [Finding("problem", "Queue epochs", text, remedy)]
    if lost := [number for number, epoch in found.items() if known[number] and not epoch]:
        text = f"none in the partitions {_listed(lost)}"
        remedy = "Their node lost its data: the worker notes the loss and begins new epochs."
        return [Finding("problem", "Queue epochs", text, remedy)]
    if away := known.keys() - found.keys():
        text = f"the partitions {_listed(away)} can't be asked"
        remedy = "Start their node. Who gives their slots to another one gives up what waits there."
        return [Finding("problem", "Queue epochs", text, remedy)]
    text = "the same on both sides" if any(found.values()) else "none yet: no worker ran so far"
    return [Finding("ok", "Queue epochs", text)]


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def check_partitions(expected: int, numbers: Iterable[int]) -> list[Finding]:
    if (found := sorted(numbers)) == list(range(expected)):
        return [Finding("ok", "Partitions", str(expected))]
    text = f"{found} in hit_partition, 0 to {expected - 1} expected"
    return [Finding("problem", "Partitions", text, "Restore the table from a backup.")]


def _check_redis_version(info: Mapping[str, Any], where: str) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
    oldest = (7, 2) if name == "Valkey" else (7, 0)
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= oldest:
        return Finding("ok", f"{where}{name}", version)
    return Finding("problem", f"{where}{name}", version, "Use Redis 7 or Valkey 7.2, or newer.")


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
    return check_clocks(here, there, seconds + micros / 1e6)


def _examine_queue(
    db: psycopg.Connection | None, client: Redis, settings: Settings
) -> list[Finding]:
    with queues.connect(settings, client, _PATIENCE) as queue:
        try:
            epochs = _examine_epochs(db, queue)  # first, as it shows which nodes are away
            left = _examine_left(client) if queue.elsewhere else []
            return [*_examine_servers(db, queue), *epochs, *left]
        except (redis.RedisError, OSError) as error:
            remedy = "Start it, or mend PINTAG_QUEUE_URL."
            return [Finding("problem", "Queue", f"can't be reached: {error}", remedy)]


def _examine_left(client: Redis) -> list[Finding]:
    """Hits in the Redis of all else, of a collector that was not told that the queue has moved."""
    parts = hit_queue.waiting(client, dict.fromkeys(range(cluster_map.MOST), "0-0"))
    if not (hits := sum(part.queued for part in parts)):
        return []
    text = f"{hits} hits are in the Redis of REDIS_URL, where no worker looks for them"
    remedy = "Give PINTAG_QUEUE_URL to all collectors; docs/operations.md: moving the queue."
    return [Finding("problem", "Queue left behind", text, remedy)]


def _examine_servers(db: psycopg.Connection | None, queue: Queue) -> list[Finding]:
    """The servers of a queue that is not in the Redis of all else."""
    findings: list[Finding] = []
    for address, server in queue.clients().items() if queue.elsewhere else ():
        called, config = f"Queue {address}", _redis_config(server)
        findings += check_redis(server.info("server"), config, called)
        if queue.apart and config:
            name = "cluster-require-full-coverage"
            findings += check_coverage(server.config_get(name).get(name), called)
        if db:
            findings += [replace(f, subject=f"{called} clock") for f in _examine_both(db, server)]
    return findings


def _examine_epochs(db: psycopg.Connection | None, queue: Queue) -> list[Finding]:
    if db is None or not _value(db, "SELECT to_regclass('installation')"):
        return []
    known = queue_epochs.current(db, apart=queue.apart)
    found = queue.epochs(known)
    away = [
        Finding("problem", f"Queue {address}", f"can't be reached: {why}", "Start this node.")
        for address, why in queue.away.items()
    ]
    if queue.apart:
        return [*away, *check_epochs(known, found)]
    return check_epoch(next(iter(known.values()), ""), next(iter(found.values()), ""))


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
