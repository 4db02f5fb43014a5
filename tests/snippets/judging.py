"""Asks Node and TypeScript what they read in a form; takes Tag Manager's templates apart."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.tools.install import TYPESCRIPT

HERE = Path(__file__).parent
SANDBOX = (HERE / "tag_manager.js").read_text(encoding="utf-8")
"""What Tag Manager gives to a template, for a browser."""


class Judge:
    """A Node that runs as long as the tests of a file."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, kind: str, text: str, **more: Any) -> dict[str, Any]:
        """What judge.js says of a text; fails where it could not be read or run."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"kind": kind, "text": text, **more}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, (answer, text)
        return answer


@contextmanager
def judging() -> Iterator[Judge]:
    command = ["node", "--no-warnings", "--experimental-vm-modules", str(HERE / "judge.js")]
    with subprocess.Popen(
        [*command, str(TYPESCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Judge(process)
        assert process.stdin
        process.stdin.close()


def sections(template: str) -> dict[str, str]:
    """The sections of a .tpl file, by name."""
    parts = re.split(r"^___([A-Z_]+)___$", template, flags=re.MULTILINE)
    assert parts[0] == ""
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
