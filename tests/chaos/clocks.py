"""Wall clocks of processes, each of which can be put forward and back while it runs."""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


def can_be_skewed() -> bool:
    """Whether there is a compiler for what processes are preloaded with."""
    return shutil.which("cc") is not None


class Clock:
    """The clock of a process that is started with this environment."""

    def __init__(self, path: Path, library: Path) -> None:
        self._path = path
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "CHAOS_CLOCK": str(path),
        }
        path.write_bytes(struct.pack("q", 0))

    def put(self, seconds: int) -> None:
        """Make it off by so many seconds from now on."""
        with self._path.open("r+b") as file:
            file.write(struct.pack("q", seconds))


def compiled(folder: Path) -> Path:
    """What processes are preloaded with."""
    library = folder / "clock.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library
