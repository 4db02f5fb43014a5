"""The data directory: who owns what in it, and whether PostgreSQL's user gets there."""

import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tracker.embedded.errors import EmbeddedError

# Linux allows 107 bytes in a socket's path, macOS 103; PostgreSQL's name is the longest of ours.
_SOCKET_PATH_LIMIT = 103
_LONGEST_SOCKET = "/.s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """Another user, as whom root starts a process."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The places in a data directory. `account` is PostgreSQL's user; None: our own."""

    root: Path
    run: Path
    account: Account | None

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        return self.root / "logs"


def postgres_account() -> Account | None:
    """`nobody` when we are root, under whom PostgreSQL refuses to run; else None: ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account("nobody", nobody.pw_uid, nobody.pw_gid)


def prepare(directory: Path) -> Layout:
    """Make the data directory and its private parts. Raises EmbeddedError where it can't."""
    directory = directory.absolute()
    account = postgres_account()
    try:
        make_root(directory)
        _check_reachable(directory, account)
        layout = Layout(directory, _socket_directory(directory, account), account)
        _private(layout.valkey, None)
        _private(layout.logs, None)
        _private(layout.postgres, account)
    except PermissionError as error:
        raise EmbeddedError(
            f"The data directory {directory} can't be used: {error}.\n"
            "Run Pintag as the user it belongs to, or choose another one with --data."
        ) from error
    return layout


def make_root(directory: Path) -> None:
    """Make the data directory itself: ours alone, but root lets others pass through it."""
    if not directory.is_dir():
        directory.mkdir(parents=True)
        directory.chmod(0o711 if os.geteuid() == 0 else 0o700)


def run_as(account: Account | None, *command: str) -> bool:
    """Whether a command ends well under that user, in a directory that everyone can enter."""
    who = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, check=False, **who)  # type: ignore[call-overload]
    except PermissionError:
        return False
    return bool(done.returncode == 0)


def _check_reachable(directory: Path, account: Account | None) -> None:
    if account is None or run_as(account, "test", "-x", str(directory)):
        return
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root, so Pintag runs it as the user `{account.name}`,\n"
        f"who can't enter {directory}.\n"
        "Choose a folder that everyone can pass through (pintag up --data /var/lib/pintag),\n"
        "run Pintag as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def _private(path: Path, account: Account | None) -> None:
    """Make a directory that only its owner can enter; refuse one that is somebody else's."""
    owner = account.uid if account else os.geteuid()
    if not path.is_dir():
        path.mkdir()
        os.chown(path, owner, account.gid if account else -1)
    elif path.stat().st_uid != owner:
        raise EmbeddedError(
            f"{path} belongs to user id {path.stat().st_uid}, not to {owner}.\n"
            "Run Pintag as the user who made it, or choose another folder with --data."
        )
    path.chmod(0o700)


def _socket_directory(directory: Path, account: Account | None) -> Path:
    """DIR/run, or where its path is too long for a socket, a link there to a short one."""
    run = directory / "run"
    if len(os.fsencode(run)) + len(_LONGEST_SOCKET) <= _SOCKET_PATH_LIMIT:
        _private(run, account)
        return run
    if not (run.is_dir() and run.stat().st_uid == (account.uid if account else os.geteuid())):
        run.unlink(missing_ok=True)
        run.symlink_to(tempfile.mkdtemp(prefix="pintag-", dir="/tmp"))
        if account:
            os.chown(run, account.uid, account.gid)
    return run.resolve()
