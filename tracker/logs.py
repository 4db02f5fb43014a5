"""How processes log: one line an event on standard error, JSON unless a person is reading.

Warnings and errors are kept in memory besides, until the process reports them (stores/reporting):
nothing that logs waits for the network, or fails where its line can't be written.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from tracker.rules.rates import AtMost
from tracker.rules.troubles import Trouble, merged, read

MOST = 200
"""Warnings and errors that wait to be reported; older ones are only in the log."""
SELDOM_SECONDS = 60.0
_BAD = {"warning", "error", "critical"}


class Recent:
    """The newest warnings and errors of this process that nobody has reported; of any thread."""

    def __init__(self) -> None:
        self._kept: deque[Trouble] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def note(self, logger: Any, method: str, fields: EventDict) -> EventDict:
        """A processor of structlog: notes down what is bad, and lets everything through."""
        if fields.get("level") in _BAD:
            this = sys.exc_info() if fields.get("exc_info") is True else fields.get("exc_info")
            trouble = read({**fields, "exc_info": this}, time.time_ns() // 1_000_000)
            with self._lock:
                self._add([trouble])
        return fields

    def take(self) -> list[Trouble]:
        """All of them, in their order; they are the caller's now."""
        with self._lock:
            taken = list(self._kept)
            self._kept.clear()
        return taken

    def put_back(self, taken: Sequence[Trouble]) -> None:
        """What could not be reported waits again, before what came meanwhile."""
        with self._lock:
            since = list(self._kept)
            self._kept.clear()
            self._add([*taken, *since])

    def _add(self, troubles: Sequence[Trouble]) -> None:
        last = [self._kept.pop()] if self._kept else []
        self._kept.extend(merged([*last, *troubles]))


recent = Recent()


class _StandardError:
    """Where it takes nothing, as its disk is full or its reader gone, the line is lost, no more.

    What logs is often in the middle of seeing to something else that went wrong.
    """

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


class Seldom(logging.Filter):
    """Of warnings that strangers can cause at will, one a minute: a disk has an end."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = AtMost(1, SELDOM_SECONDS)

    def filter(self, record: logging.LogRecord) -> bool:
        is_warning = record.levelno == logging.WARNING
        return not (is_warning and self._taken.take(str(record.msg), record.created))


seldom = Seldom()


def configure() -> None:
    """Set structlog up for this process, and what libraries log with it."""
    person = sys.stderr.isatty()
    first: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        recent.note,
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer(),
    ]
    file = cast("TextIO", _StandardError())
    structlog.configure(
        processors=[*first, *last], logger_factory=structlog.PrintLoggerFactory(file=file)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn.error").addFilter(seldom)
