"""What most commands need: the settings, the stores, and one section."""

import json
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import redis
import typer

from tracker.json_text import dumps
from tracker.rules import keyspaces
from tracker.rules.errors import FieldError
from tracker.rules.keyspaces import BadKeyError, Identity, Keyspace
from tracker.settings import Settings, load
from tracker.stores import audit_log, database, definitions, hit_queue, sections
from tracker.stores.definitions import Definition
from tracker.stores.sections import Section


class UsageError(Exception):
    """What was asked for can't be done; the message says why, and what to do."""


SectionOption = Annotated[
    str | None, typer.Option("--section", help="The section; needed when there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@dataclass(frozen=True, slots=True)
class Stores:
    """Open connections to both stores."""

    settings: Settings
    database: psycopg.Connection
    redis: redis.Redis

    @property
    def prefix(self) -> str:
        """The installation's first part of discriminators."""
        return sections.installation(self.database).prefix

    def section(self, slug: str | None) -> Section:
        """The section named on the command line, or the only one."""
        return sections.choose(self.database, slug)

    def option(self, section_id: int) -> str:
        """What a command that is printed ends with, so that it works: ` --section SLUG` or ""."""
        return sections.option(self.database, section_id)

    def note(self, action: str, subject: str = "", section_id: int | None = None) -> None:
        """Write into the audit log what the system's user who runs this did."""
        audit_log.add(
            self.database, f"cli:{_user()}", action, subject, datetime.now(UTC), section_id
        )

    def identity(self, keyspace: str, key: str) -> Identity:
        """The identifier that was named, normalised. Raises UsageError."""
        found = keyspaces.find(keyspace, self.prefix)
        if found is None:
            there_are = ", ".join(Keyspace)
            raise UsageError(f"There is no keyspace {keyspace!r}.\nThe keyspaces are: {there_are}.")
        try:
            return keyspaces.identity(found, key)
        except BadKeyError as error:
            raise UsageError(f"{key!r} is no {found}: {error}") from None

    def definition(self, slug: str | None, name: str, *, hidden_too: bool = False) -> Definition:
        """A definition by discriminator, slug or name; hidden ones are not found as a rule.

        Raises UsageError and AmbiguousWordError.
        """
        section = self.section(slug)
        found = definitions.find(self.database, section.id, name)
        if found is None or (found.hidden_at is not None and not hidden_too):
            raise UsageError(
                f"The section {section.slug!r} has no event {name!r}.\n"
                f"See which there are: pintag event list{self.option(section.id)}"
            )
        return found


def _user() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # in containers, for one, users need no name
        return str(number)


@contextmanager
def stores() -> Iterator[Stores]:
    """Connect to the stores that the environment or the running `pintag up` names."""
    settings = load()
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        yield Stores(settings, connection, client)


def print_json(content: object) -> None:
    """Print JSON, indented."""
    typer.echo(dumps(content, indent=True).decode())


def read_json(path: str) -> object:
    """The JSON in a file, or on standard input for `-`. Raises UsageError."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        content: object = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read as JSON: {error}") from None
    return content


def listed(errors: list[FieldError]) -> str:
    """Errors as lines, each with its field and cause."""
    return "\n".join(f"  {error.field or '(the whole)'}: {error.message}" for error in errors)
