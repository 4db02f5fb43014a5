"""Runs the programs in the documents that sign, each in its own language."""

import json
import shutil
import subprocess
import sys

COMMANDS = {
    "python": [sys.executable, "-c"],
    "php": ["php", "-r"],
    "javascript": ["node", "-e"],
}


def run(language: str, program: str, keys: list[str]) -> bytes:
    """What a program prints that gets these keys on its standard input, as JSON."""
    command, *options = COMMANDS[language]
    assert shutil.which(command), f"Install {command}: python -m tests.tools.install"
    done = subprocess.run(
        [command, *options, program], input=json.dumps(keys).encode(), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
