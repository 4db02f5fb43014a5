"""Small disks that can be filled up, and lose their power: ext4 in a file, mounted as a loop.

When the power goes, what a server wrote but never flushed is gone. A kill alone shows nothing of
that: the kernel keeps what a killed process wrote.
"""

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_AT_ONCE = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal is flushed
_OPTIONS = "loop,commit=600"  # what nobody flushes stays off the disk for as long as can be
_BLOCK = 4096


class Disk:
    """A disk of its own under a server's folder; its file lies beside it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._image = folder.with_suffix(".disk")
        self._filler = folder / "filler"
        self._size = megabytes * 1_000_000

    def make(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._size)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self._mount()

    def fill(self) -> None:
        """Take all room that is left."""
        with self._filler.open("wb") as filler:
            end, step = 0, self._size
            while step >= _BLOCK:
                try:
                    os.posix_fallocate(filler.fileno(), end, step)
                    end += step
                except OSError:
                    step //= 2

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def lose_power(self) -> None:
        """Go on with what is on the disk at this moment. Nobody may use it meanwhile."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, _AT_ONCE)
        finally:
            os.close(folder)
        _run("umount", str(self.folder))
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", _OPTIONS, str(self._image), str(self.folder))


def can_mount() -> bool:
    """Whether this process may mount disks that nobody else sees, and that end with it.

    From now on it has mounts of its own.
    """
    if os.geteuid() != 0 or not all(map(shutil.which, ("mkfs.ext4", "mount", "umount"))):
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        return False
    private = ["mount", "--make-rprivate", "/"]
    return subprocess.run(private, check=False, capture_output=True).returncode == 0


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
