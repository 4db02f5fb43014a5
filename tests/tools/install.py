"""`python -m tests.tools.install`: make sure that the tests find a Chromium, a PHP and a Node.

The browser tests walk with Chromium; the examples in the docs run with PHP and Node. A tool that
is missing fails its tests.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_LANGUAGES = {"php": "php-cli", "node": "nodejs"}
"""Commands, each with its package on Debian."""


def find_chromium() -> str | None:
    """The path of this machine's Chromium; None where there is at most playwright's own."""
    return next((path for path in map(shutil.which, _CHROMIUM) if path), None)


def main() -> None:
    """Say nothing when all are there; what only people can install is named."""
    chromium = find_chromium() or _playwright_has_one()
    missing = [command for command in _LANGUAGES if shutil.which(command) is None]
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        packages = [_LANGUAGES[command] for command in missing] + ["chromium"] * (not chromium)
        if packages:
            _install(packages)
        return
    if not chromium:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    for command in missing:
        print(
            f"Some tests need `{command}` and will fail: install it"
            f" (on Debian: apt-get install {_LANGUAGES[command]}).",
            file=sys.stderr,
        )


def _install(packages: list[str]) -> None:
    print(f"Installing {', '.join(packages)} for the tests …", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=quiet)


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    main()
