"""The rooms of the code: imports point one way, and files and functions stay small."""

import ast
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"tracker.rules"},
    {"tracker.settings", "tracker.vault", "tracker.passwords", "tracker.turns"},
    {"tracker.listening", "tracker.serving"},
    {"tracker.stores"},
    {"tracker.snippets"},
    {"tracker.actions"},
    {"tracker.collector", "tracker.pages", "tracker.api"},
    {"tracker.embedded"},
    {"tracker.cli"},
]
"""From the bottom up: a layer may import itself and those before it."""
ANYWHERE = {"tracker", "tracker.logs", "tracker.startup", "tracker.json_text"}
STANDARD_NAMES = {"queue.py", "profile.py", "logging.py"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    return imported_by(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported_by(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(module: str) -> int | None:
    """The number of a module's layer; None where every layer may use it."""
    top = ".".join(module.split(".")[:2])
    return next((n for n, names in enumerate(LAYERS) if top in names), None)


@pytest.mark.parametrize("path", modules("tracker"), ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    own = layer(name_of(path))
    assert own is not None or name_of(path) in ANYWHERE, "give this module a layer"
    for imported in imports(path):
        assert not imported.startswith("worker"), f"{path}: the tracker never imports the worker"
        theirs = layer(imported)
        if own is not None and theirs is not None:
            assert theirs <= own, f"{name_of(path)} must not import {imported}"


def test_rules_touch_nothing() -> None:
    touching = {"psycopg", "redis", "os", "socket", "time", "starlette", "subprocess", "pathlib"}
    for path in modules("tracker/rules"):
        assert not {name.split(".")[0] for name in imports(path)} & touching, path


def test_one_file_alone_knows_the_stream_protocol() -> None:
    for path in [*modules("tracker"), *modules("worker")]:
        text = path.read_text(encoding="utf-8").lower()
        if path.name not in ("hit_queue.py", "trials.py"):  # which has a stream of its own
            assert ".xadd" not in text, path
            assert ".xread" not in text, path
            assert ".xtrim" not in text, path


def test_no_command_waits_for_alembic() -> None:
    for path in [*modules("tracker"), *modules("worker")]:
        if "migrations" not in path.parts:
            at_once = ast.parse(path.read_text(encoding="utf-8")).body
            named = {name.split(".")[0] for name in imported_by(at_once)}
            assert not named & {"alembic", "sqlalchemy"}, path


def test_no_file_shadows_the_standard_library_at_the_top() -> None:
    for package in ("tracker", "worker"):
        assert not {path.name for path in (ROOT / package).glob("*.py")} & STANDARD_NAMES


@pytest.mark.parametrize("package", ["tracker", "worker"])
def test_files_and_functions_stay_small(package: str) -> None:
    files = [len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package)]
    functions = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert statistics.median(files) <= 150
    assert max(files) <= 500
    assert statistics.median(functions) <= 10
    assert max(functions) <= 60
