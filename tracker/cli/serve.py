"""`pintag web` and `pintag collector`, for `pintag up`, a Procfile or systemd."""

from typing import Annotated

import typer

from tracker import settings

Descriptors = Annotated[list[int] | None, typer.Option("--fd", hidden=True)]
"""Listening sockets that a parent process hands over."""
Processes = Annotated[
    int, typer.Option(min=0, help="Collectors behind one socket; 0: this process is the only one.")
]


def web(descriptors: Descriptors = None) -> None:
    """Run the web process: the pages and the API."""
    from tracker.api import server

    server.serve(settings.load(), descriptors or ())


def collector(processes: Processes = 0, descriptors: Descriptors = None) -> None:
    """Run the collector, which takes hits.

    With --processes, SIGHUP replaces all of them by new ones, and no connection is refused.
    """
    if processes:
        from tracker.cli import collectors

        collectors.serve(settings.load(), processes, descriptors or ())
        return
    from tracker.collector import server

    server.serve(settings.load(), descriptors or ())
