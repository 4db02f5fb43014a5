"""Firefox, by its own remote protocol Marionette: no driver between, and nothing to install but it.

Its messages are `<length>:<JSON>` over TCP; a command is [0, number, name, parameters], its answer
[1, number, error, result].
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.matrix.chromium import read_port
from tests.matrix.site import INSECURE
from tracker.embedded.processes import die_with_parent

_PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("remote.prefs.recommended", true);
user_pref("network.dns.localDomains", "INSECURE");
""".replace("INSECURE", INSECURE)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's reference, by the W3C's WebDriver."""


class Marionette:
    """A connection; commands are answered one after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=90)
        self._answers = self._socket.makefile("rb")
        self._number = 0
        self._read()  # its greeting

    def send(self, name: str, **parameters: Any) -> Any:
        """The command's result; raises AssertionError with Firefox's words."""
        self._number += 1
        body = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(body), body))
        _, number, error, result = self._read()
        assert number == self._number
        assert error is None, f"{name}: {error}"
        return result

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (byte := self._answers.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self._answers.read(int(length)))


class FirefoxTab:
    """A tab, which is switched to before each command."""

    def __init__(self, marionette: Marionette, handle: str) -> None:
        self._marionette, self.handle = marionette, handle

    def goto(self, address: str) -> None:
        self._send("WebDriver:Navigate", url=address)

    def run(self, expression: str) -> Any:
        done = self._send("WebDriver:ExecuteScript", script=f"return {expression}", args=[])
        return done["value"]

    def click(self, selector: str) -> None:
        found = self._send("WebDriver:FindElement", using="css selector", value=selector)
        self._send("WebDriver:ElementClick", id=found["value"][_ELEMENT])

    def reload(self) -> None:
        self._send("WebDriver:Refresh")

    def back(self) -> None:
        self._send("WebDriver:Back")

    def front(self) -> None:
        self._marionette.send("WebDriver:SwitchToWindow", handle=self.handle, focus=True)

    def close(self) -> None:
        self._send("WebDriver:CloseWindow")

    def _send(self, name: str, **parameters: Any) -> Any:
        self._marionette.send("WebDriver:SwitchToWindow", handle=self.handle, focus=False)
        return self._marionette.send(name, **parameters)


class Firefox:
    """One process."""

    def __init__(self, marionette: Marionette) -> None:
        self._marionette = marionette
        self.name = "Firefox"
        self._first = marionette.send("WebDriver:GetWindowHandles")[0]

    def tab(self) -> FirefoxTab:
        # The tab that is switched to must be one that is still there.
        self._marionette.send("WebDriver:SwitchToWindow", handle=self._first, focus=False)
        made = self._marionette.send("WebDriver:NewWindow", type="tab", focus=True)
        return FirefoxTab(self._marionette, made["handle"])

    def offline(self, off: bool) -> None:
        self._in_chrome(f"Services.io.offline = {json.dumps(off)}")

    def close_all(self) -> None:
        for handle in self._marionette.send("WebDriver:GetWindowHandles"):
            if handle != self._first:
                FirefoxTab(self._marionette, handle).close()

    @contextmanager
    def storage_denied(self) -> Iterator["Firefox"]:
        self._in_chrome('Services.prefs.setIntPref("network.cookie.cookieBehavior", 2)')
        try:
            yield self
        finally:
            self._in_chrome('Services.prefs.clearUserPref("network.cookie.cookieBehavior")')

    def _in_chrome(self, script: str) -> None:
        """Run it as a part of the browser."""
        self._marionette.send("WebDriver:SwitchToWindow", handle=self._first, focus=False)
        self._marionette.send("Marionette:SetContext", value="chrome")
        try:
            self._marionette.send("WebDriver:ExecuteScript", script=script, args=[])
        finally:
            self._marionette.send("Marionette:SetContext", value="content")


@contextmanager
def firefox(path: str) -> Iterator[Firefox]:
    """For the block."""
    profile = Path(tempfile.mkdtemp(prefix="pintag-firefox-"))
    (profile / "user.js").write_text(_PREFERENCES)
    process = subprocess.Popen(
        [
            path,
            "--headless",
            "--no-remote",
            "--marionette",
            "--remote-allow-system-access",
            "--profile",
            str(profile),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
        preexec_fn=die_with_parent(9),
    )
    try:
        marionette = Marionette(read_port(profile / "MarionetteActivePort"))
        marionette.send("WebDriver:NewSession", capabilities={})
        yield Firefox(marionette)
        marionette.close()
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)
