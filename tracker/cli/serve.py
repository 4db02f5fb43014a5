"""`pintag web` and `pintag collector`: one process each, for `pintag up` and for a Procfile."""

from tracker import settings


def web() -> None:
    """Run the web process: the pages and the API."""
    from tracker.api import server

    server.serve(settings.load())


def collector() -> None:
    """Run the collector, which takes hits."""
    from tracker.collector import server

    server.serve(settings.load())
