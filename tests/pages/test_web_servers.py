"""docs/operations.md, "The pages behind a web server": a real nginx and a real Caddy, with TLS."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.collector import house as houses
from tests.pages import signing
from tests.tools import web_servers
from tracker.api import server
from tracker.api.app import make_app
from tracker.pages.attempts import ATTEMPTS
from tracker.pages.page import COOKIE
from tracker.pages.sign_in import attempts
from tracker.pages.visit import csrf_token
from tracker.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
(NGINX,) = re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
(CADDY,) = re.findall(r"```caddy\n(.*?)```", PAGE, re.DOTALL)
NAME = "pintag.example"
SITE = f"https://{NAME}"
ADDRESS = "127.0.0.1:8700"
"""The web process's, as the page has it."""


def nginx(folder: Path, port: int, web: int) -> AbstractContextManager[None]:
    """An nginx with the page's lines."""
    certificate, key = web_servers.certificate(folder, NAME)
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
    lines = NGINX.replace(ADDRESS, f"127.0.0.1:{web}")
    server = f"listen 127.0.0.1:{port} ssl; server_name {NAME}; {tls} {lines}"
    return web_servers.nginx(folder, port, f"server {{ {server} }}")


def caddy(folder: Path, port: int, web: int) -> AbstractContextManager[None]:
    """A Caddy with the page's lines; the certificate is ours, as it can't ask for one here."""
    certificate, key = web_servers.certificate(folder, NAME)
    ours = f"{SITE}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"
    site = CADDY.replace(ADDRESS, f"127.0.0.1:{web}").replace(f"{NAME} {{", ours)
    return web_servers.caddy(folder, port, site)


class Browser:
    """Somebody's, who opens SITE from an address of their own."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def get(self, path: str) -> httpx2.Response:
        return self._ask("GET", path)

    def post(self, path: str, origin: str = SITE, **form: str) -> httpx2.Response:
        session = self.client.cookies.get(COOKIE) or ""
        return self._ask("POST", path, {"csrf": csrf_token(session), **form}, Origin=origin)

    def sign_in(self, password: str = signing.PASSWORD, origin: str = SITE) -> httpx2.Response:
        return self.post("/sign-in", origin, name="Olga", password=password)

    def _ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> httpx2.Response:
        named, sni = {"Host": NAME, **headers}, {"sni_hostname": NAME}
        return self.client.request(method, path, data=form, headers=named, extensions=sni)


Browsers = Callable[[str], Browser]


@pytest.fixture(params=[nginx, caddy])
def browse(
    request: pytest.FixtureRequest, settings: Settings, db: psycopg.Connection, tmp_path: Path
) -> Iterator[Browsers]:
    """Browsers at IP addresses of loopback, before a web server, before the web process.

    Olga, who owns all, has the password.
    """
    attempts.forget()
    signing.make(db, password=True)
    behind, port = replace(settings, web_url=SITE), houses.free_port()
    with (
        houses.running(make_app(behind), **server.options(behind)) as web,
        request.param(tmp_path, port, web.port),
        ExitStack() as clients,
    ):

        def browser(ip_address: str) -> Browser:
            transport = httpx2.HTTPTransport(local_address=ip_address, verify=False)
            client = httpx2.Client(
                base_url=f"https://127.0.0.1:{port}", transport=transport, timeout=60
            )
            return Browser(clients.enter_context(client))

        yield browser


OLGAS, STRANGERS = "127.0.0.2", "127.0.0.3"
"""IP addresses, none of which is a trusted proxy's."""


def test_who_signs_in_by_tls_has_a_cookie_for_tls_alone(browse: Browsers) -> None:
    olga = browse(OLGAS)
    answer = olga.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "; Secure" in answer.headers["set-cookie"]
    assert olga.get("/").status_code == 200


def test_forms_of_other_sites_are_refused(browse: Browsers) -> None:
    assert browse(OLGAS).sign_in(origin="https://evil.example").status_code == 403


def test_one_time_links_lead_to_the_public_address(browse: Browsers) -> None:
    olga = browse(OLGAS)
    olga.sign_in()
    made = olga.post("/settings/accounts", name="Ann", role="viewer", section="")
    (path,) = set(re.findall(rf"{re.escape(SITE)}(/welcome/[\w-]+)", made.text))
    assert "Ann" in browse(STRANGERS).get(path).text


def test_an_address_with_a_slash_too_many_leads_to_the_public_one(browse: Browsers) -> None:
    assert browse(OLGAS).get("/sign-in/").headers["location"] == f"{SITE}/sign-in"


def test_attempts_are_counted_for_who_makes_them(browse: Browsers) -> None:
    stranger = browse(STRANGERS)
    tries = [stranger.sign_in("wrong wrong").status_code for _ in range(ATTEMPTS + 1)]
    assert tries == [403] * ATTEMPTS + [429]
    assert browse(OLGAS).sign_in().status_code == 303


def test_metrics_are_not_for_the_public(browse: Browsers) -> None:
    assert browse("127.0.0.1").get("/metrics").status_code == 403
