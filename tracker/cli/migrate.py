"""`pintag migrate`: the schema, brought up to date."""

import os

import typer

from tracker import settings
from tracker.stores import database


def migrate() -> None:
    """Bring the database's schema up to date, and print its revision."""
    found = settings.from_environ(os.environ)
    typer.echo(database.migrate(found if found.database_url else settings.load()))
