"""`python -m tests.tools.install`: make sure that the tests find the programs that they walk with.

The browser tests walk with Chromium; the examples in the docs run with PHP and Node, and behind
nginx and Caddy. TypeScript, which judges the types and code of snippets, and axe, which judges how
accessible the pages are, are kept in the virtual environment. What is missing fails its tests.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_PROGRAMS = {"php": "php-cli", "node": "nodejs", "npm": "npm", "nginx": "nginx", "caddy": "caddy"}
"""Commands, each with its package on Debian."""
_POLICY = Path("/usr/sbin/policy-rc.d")
_TYPESCRIPT = "typescript@5.9.3"  # the last line whose compiler is a library for Node, too
_AXE = "axe-core@4.14.1"
_NODE = Path(sys.prefix) / "node"
TYPESCRIPT = _NODE / "node_modules" / "typescript"
AXE = _NODE / "node_modules" / "axe-core"


def find_chromium() -> str | None:
    """The path of this machine's Chromium; None where there is at most playwright's own."""
    return next((path for path in map(shutil.which, _CHROMIUM) if path), None)


def find(command: str) -> str | None:
    """The path of a program, also of one that only administrators have in their PATH."""
    places = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
    return shutil.which(command, path=places)


def find_firefox() -> str | None:
    """The path of Firefox, which only the browser matrix needs: installed now if it can be."""
    if not (found := _firefox()) and _is_debian_root():
        _install(["firefox-esr"])
        found = _firefox()
    return found


def _firefox() -> str | None:
    return shutil.which("firefox") or shutil.which("firefox-esr")


def main() -> None:
    """Say nothing when all are there; what only people can install is named."""
    chromium = find_chromium() or _playwright_has_one()
    missing = [command for command in _PROGRAMS if find(command) is None]
    if _is_debian_root():
        packages = [_PROGRAMS[command] for command in missing] + ["chromium"] * (not chromium)
        if packages:
            _install(packages)
        _install_libraries()
        return
    if not chromium:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    for command in missing:
        print(
            f"Some tests need `{command}` and will fail: install it"
            f" (on Debian: apt-get install {_PROGRAMS[command]}).",
            file=sys.stderr,
        )
    if "npm" not in missing:
        _install_libraries()


def _install_libraries() -> None:
    if not (TYPESCRIPT.exists() and AXE.exists()):
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix"]
        subprocess.run([*command, str(_NODE), _TYPESCRIPT, _AXE], check=True)


def _is_debian_root() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def _install(packages: list[str]) -> None:
    print(f"Installing {', '.join(packages)} for the tests …", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    with _no_services():
        subprocess.run(command, check=True, env=quiet)


@contextmanager
def _no_services() -> Iterator[None]:
    """Debian starts the servers that it installs; the tests want the programs only."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    main()
