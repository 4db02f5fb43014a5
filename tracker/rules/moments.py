"""Times as messages say them: on the server's clock, and how long that is from now."""

import math
from datetime import datetime

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def in_words(moment: datetime, now: datetime) -> str:
    """A time to come, both in UTC: `at 14:03:22Z (in 12 minutes)`, with its date if not today."""
    text = f"{moment:%T}Z" if moment.date() == now.date() else f"{moment:%F %T}Z"
    return f"at {text} (in {span((moment - now).total_seconds())})"


def span(seconds: float) -> str:
    """Rounded up, in the largest unit of which there are two: nobody then comes too early."""
    whole = max(math.ceil(seconds), 1)
    size, unit = next((u for u in _UNITS if whole >= 2 * u[0]), _UNITS[-1])
    count = math.ceil(whole / size)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
