"""`python -m tests.browser.install`: make sure that there is a Chromium for the browser tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The path of this machine's Chromium; None where there is at most playwright's own."""
    return next((path for path in map(shutil.which, _NAMES) if path), None)


def main() -> None:
    """Say nothing when there is one."""
    if find_chromium() or _playwright_has_one():
        return
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("Installing Chromium for the browser tests …", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(command, check=True, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    main()
