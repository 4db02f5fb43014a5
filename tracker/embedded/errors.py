"""What can go wrong with embedded servers."""


class EmbeddedError(Exception):
    """An embedded server can't run here; the message says why, and what to do."""


class PartError(EmbeddedError):
    """A process ended, or did not get ready in time; `log` is what it wrote since its start."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log
