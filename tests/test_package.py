"""The distribution: every dependency has its reason, and the wheel has all that it needs."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
BOUNDED = re.compile(r"^([A-Za-z0-9-]+)(\[[a-z]+\])?>=[\d.]+,<\d+(;.*)?$")


@pytest.mark.parametrize(
    ("heading", "lines"),
    [
        ("At run time", PROJECT["project"]["dependencies"]),
        ("For development", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_dependencies_are_bounded_and_documented(heading: str, lines: list[str]) -> None:
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `([^`]+)` \| .+ \| .+ \|$", section, re.MULTILINE)
    matches = [BOUNDED.match(line.replace(" ", "")) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    assert sorted(documented) == sorted(match[1] for match in matches if match)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", f"-w{directory}"]
    subprocess.run([*build, str(ROOT)], check=True, timeout=300)
    [path] = directory.glob("pintag-*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
def test_the_wheel_has_code_templates_and_migrations(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    wanted = [
        path.relative_to(ROOT).as_posix()
        for package in ("tracker", "worker", "snippet_templates")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert len(wanted) > 50
    assert set(wanted) <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    [entry_points] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert b"pintag = tracker.cli:main" in wheel.read(entry_points)
